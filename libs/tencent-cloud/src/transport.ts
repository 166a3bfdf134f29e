import type { Agent } from 'node:http';
import { Axios } from 'axios';
import { type AgentOptions, createAgent } from './create-agent.js';
import { createAdapter } from './upstream-adapter.js';

/** Shorter than the 60 s after which the cloud closes idle connections: a socket must not close while it is reused. */
const IDLE_SOCKET_TIMEOUT_MS = 30_000;

export interface HttpResponse {
  readonly status: number;
  readonly body: Uint8Array;
  /** The Date header. */
  readonly date?: string | undefined;
}

export interface SignedRequest {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  /** The parts of the headers that no response may reveal. */
  readonly secrets: readonly string[];
}

export interface TransportOptions extends Omit<AgentOptions, 'connectTimeoutMs'> {
  /** Origin of the API. */
  endpoint: URL;
  /** Timeout of a request, in milliseconds. The time is also divided among the addresses of the endpoint. */
  attemptTimeoutMs: number;
}

/** Sends requests to one endpoint over keep-alive connections. */
export class Transport {
  readonly #axios: Axios;
  readonly #agent: Agent;

  constructor({ endpoint, attemptTimeoutMs, ...options }: TransportOptions) {
    this.#agent = createAgent(
      endpoint,
      { ...options, connectTimeoutMs: attemptTimeoutMs },
      { keepAlive: true, timeout: IDLE_SOCKET_TIMEOUT_MS },
    );
    // Without the defaults of `axios.create`, which are for browsers and for an adapter with redirects and proxies.
    this.#axios = new Axios({ method: 'POST', adapter: createAdapter(endpoint, this.#agent, options.clock) });
  }

  /**
   * Sends a request.
   *
   * @param timeoutMs for the whole request, including its connection
   * @throws CloudUnreachableError if nothing was sent
   * @throws CloudTimeoutError if the request was sent, and no complete response arrived in time
   * @throws CloudFailedError if the request was sent, or may have been, and no usable response arrived
   */
  async post({ headers, body }: SignedRequest, timeoutMs: number): Promise<HttpResponse> {
    const response = await this.#axios.request<Buffer>({
      headerList: headers,
      data: body,
      timeout: timeoutMs,
    });
    const { date } = response.headers as { date?: string };
    return { status: response.status, body: response.data, date };
  }

  /** Destroys all connections. */
  close(): void {
    this.#agent.destroy();
  }
}
