import http, {
  type Agent,
  type ClientRequestArgs,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { callbackify } from 'node:util';
import type { Clock } from './clock.js';
import { divideConnectTime } from './connect-options.js';

/** An HTTP proxy that opens tunnels (CONNECT). */
export interface ProxyOptions {
  /** Origin of the proxy, such as `http://proxy.internal:3128`. */
  readonly url: URL;
  /** Called before each tunnel. Returns `user:password`; undefined for a proxy without authentication. */
  readonly credentials: () => Promise<string | undefined>;
}

/**
 * Makes an agent connect through a proxy. TLS ends at the upstream: the proxy sees its name and port only. The
 * connection fails with a `code` that begins with `proxy` if the proxy does not open the tunnel.
 *
 * @param timeoutMs the time until the tunnel is open, in milliseconds
 * @see https://www.rfc-editor.org/rfc/rfc9110#CONNECT
 */
export function connectThroughProxy<A extends Agent>(
  agent: A,
  proxy: ProxyOptions,
  timeoutMs: number,
  clock: Pick<Clock, 'setTimer'>,
): A {
  const connect = agent.createConnection.bind(agent);
  const proxyAgent = divideConnectTime(new http.Agent(), timeoutMs);
  const open = callbackify(async (options: ClientRequestArgs) => {
    const socket = await openTunnel(proxy, proxyAgent, options, timeoutMs, clock);
    return agent instanceof https.Agent ? connect({ ...options, socket } as ClientRequestArgs)! : socket;
  });
  agent.createConnection = (options, callback) => {
    open(options, callback!);
    return undefined;
  };
  return agent;
}

async function openTunnel(
  { url, credentials }: ProxyOptions,
  agent: Agent,
  { host, port }: ClientRequestArgs,
  timeoutMs: number,
  clock: Pick<Clock, 'setTimer'>,
): Promise<Socket> {
  const authority = `${host?.includes(':') ? `[${host}]` : host}:${port}`;
  const timeout = new AbortController();
  // Started first: the caller's own timer may be of the same length, and does not know that the proxy is the cause.
  const cancelTimer = clock.setTimer(timeoutMs, () => timeout.abort());
  try {
    const userAndPassword = await credentials();
    return await sendConnect({
      host: url.hostname.replaceAll(/[[\]]/g, ''),
      port: url.port || 80,
      path: authority,
      agent,
      signal: timeout.signal,
      headers: {
        host: authority,
        ...(userAndPassword !== undefined && {
          'proxy-authorization': `Basic ${Buffer.from(userAndPassword).toString('base64')}`,
        }),
      },
    });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const reason = `proxy: ${timeout.signal.aborted ? 'timeout' : code}`;
    throw Object.assign(new Error(reason), { code: reason });
  } finally {
    cancelTimer();
  }
}

function sendConnect(options: RequestOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...options, method: 'CONNECT' });
    const fail = (error: Error): void => {
      reject(error);
      request.destroy();
    };
    const rejectStatus = ({ statusCode }: IncomingMessage): void =>
      fail(Object.assign(new Error('no tunnel'), { code: `HTTP ${statusCode}` }));
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      rejectStatus(response);
    });
    // A proxy that responds to CONNECT as if it were another method.
    request.once('response', rejectStatus);
    request.on('error', fail);
    request.end();
  });
}
