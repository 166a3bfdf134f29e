import http from 'node:http';
import https from 'node:https';
import type { Clock } from './clock.js';
import { divideConnectTime } from './connect-options.js';
import { connectThroughProxy, type ProxyOptions } from './proxy-tunnel.js';

export interface AgentOptions {
  /** The time for a connection, which is divided among the addresses of the endpoint, in milliseconds. */
  readonly connectTimeoutMs: number;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Trusted certificates in PEM format, instead of those of the system. */
  readonly ca?: string | undefined;
  /** The proxy of all connections. Proxies of the environment are ignored. */
  readonly proxy?: ProxyOptions | undefined;
}

/** Creates the agent for the connections to an endpoint. */
export function createAgent(
  endpoint: URL,
  { connectTimeoutMs, clock, ca, proxy }: AgentOptions,
  options: http.AgentOptions = {},
): http.Agent {
  const agent =
    endpoint.protocol === 'https:'
      ? // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect.
        new https.Agent({ ...options, rejectUnauthorized: true, ...(ca && { ca }) })
      : new http.Agent(options);
  return proxy
    ? connectThroughProxy(agent, proxy, connectTimeoutMs, clock)
    : divideConnectTime(agent, connectTimeoutMs);
}
