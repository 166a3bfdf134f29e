import http, { type Agent, type ClientRequestArgs } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { callbackify } from 'node:util';
import type { Clock } from './clock.js';
import { divideConnectTime } from './connect-options.js';

/** An HTTP proxy that opens tunnels (CONNECT). */
export interface ProxyOptions {
  /** Origin of the proxy, such as `http://proxy.internal:3128`. */
  readonly url: URL;
  /** Returns `user:password`; undefined for a proxy without authentication. */
  readonly credentials: () => string | undefined;
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

function openTunnel(
  { url, credentials }: ProxyOptions,
  agent: Agent,
  { host, port }: ClientRequestArgs,
  timeoutMs: number,
  clock: Pick<Clock, 'setTimer'>,
): Promise<Socket> {
  const authority = `${host?.includes(':') ? `[${host}]` : host}:${port}`;
  const userAndPassword = credentials();
  return new Promise((resolve, reject) => {
    const request = http.request({
      method: 'CONNECT',
      host: url.hostname.replaceAll(/[[\]]/g, ''),
      port: url.port || 80,
      path: authority,
      agent,
      headers: {
        host: authority,
        ...(userAndPassword !== undefined && {
          'proxy-authorization': `Basic ${Buffer.from(userAndPassword).toString('base64')}`,
        }),
      },
    });
    const cancelTimer = clock.setTimer(timeoutMs, () => fail('timeout'));
    const fail = (reason: string): void => {
      cancelTimer();
      reject(Object.assign(new Error(`proxy: ${reason}`), { code: `proxy: ${reason}` }));
      request.destroy();
    };
    request.once('connect', ({ statusCode }, socket) => {
      if (statusCode !== 200) {
        socket.destroy();
        fail(`HTTP ${statusCode}`);
        return;
      }
      cancelTimer();
      resolve(socket);
    });
    // A proxy that responds to CONNECT as if it were another method.
    request.once('response', ({ statusCode }) => fail(`HTTP ${statusCode}`));
    request.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => fail(code));
    request.end();
  });
}
