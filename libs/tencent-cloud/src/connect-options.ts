import dns from 'node:dns';
import type { Agent, ClientRequestArgs } from 'node:http';
import type { LookupFunction, TcpNetConnectOpts } from 'node:net';
import { callbackify } from 'node:util';

/** A name with more addresses than this is not tried completely, so that each attempt has enough time. */
const MAX_SLOW_ADDRESSES = 4;

export type ConnectOptions = Required<
  Pick<TcpNetConnectOpts, 'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout' | 'lookup'>
>;

/**
 * Resolves a host name for `net.connect` and `tls.connect`. Each address gets an equal part of the time, so that the
 * others can be tried if one of them does not respond. Node.js gives every address but the last one 250 ms, which is
 * less than a slow handshake takes. The caller must limit the total time.
 *
 * @param timeoutMs the time for the connection, in milliseconds
 * @throws the error of the lookup
 * @see https://nodejs.org/api/net.html#socketconnectoptions-connectlistener (autoSelectFamilyAttemptTimeout)
 */
export async function resolveConnectOptions(
  host: string,
  timeoutMs: number,
  lookup?: LookupFunction,
): Promise<ConnectOptions> {
  return toConnectOptions(await resolveAddresses(host, lookup), timeoutMs);
}

/** Returns options like {@link resolveConnectOptions}, for a name whose addresses are known. */
export function toConnectOptions(addresses: readonly dns.LookupAddress[], timeoutMs: number): ConnectOptions {
  const parts = Math.min(addresses.length, MAX_SLOW_ADDRESSES);
  return {
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(1, Math.floor(timeoutMs / parts)),
    lookup: (_host, _options, done) => done(null, [...addresses]),
  };
}

/**
 * Returns all addresses of a host name.
 *
 * @throws the error of the lookup
 */
export function resolveAddresses(
  host: string,
  lookup: LookupFunction = dns.lookup,
): Promise<dns.LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, result) =>
      error ? reject(error) : resolve(result as dns.LookupAddress[]),
    );
  });
}

/** Makes an agent divide the time for a new connection among the addresses: see {@link resolveConnectOptions}. */
export function divideConnectTime<A extends Agent>(agent: A, timeoutMs: number): A {
  const connect = agent.createConnection.bind(agent);
  const resolveAndConnect = callbackify(async (options: ClientRequestArgs) => {
    const { host, lookup } = options;
    return connect({ ...options, ...(await resolveConnectOptions(host ?? 'localhost', timeoutMs, lookup)) })!;
  });
  agent.createConnection = (options, callback) => {
    resolveAndConnect(options, callback!);
    return undefined;
  };
  return agent;
}
