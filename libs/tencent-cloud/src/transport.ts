import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { divideConnectTime } from './connect-options.js';
import { CloudFailedError, CloudUnreachableError } from './errors.js';

/** A response of StopStreamIngest has about a hundred bytes. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Shorter than the 60 s after which the cloud closes idle connections: a socket must not close while it is reused. */
const IDLE_SOCKET_TIMEOUT_MS = 30_000;

export interface HttpResponse {
  readonly status: number;
  readonly body: Uint8Array;
  /** The Date header. */
  readonly date?: string;
}

export interface SignedRequest {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Sends requests to one endpoint over keep-alive connections. It follows no redirect, uses no proxy of the environment,
 * decompresses nothing, and limits the size of a response.
 */
export class Transport {
  readonly #axios: AxiosInstance;
  readonly #agent: http.Agent | https.Agent;
  readonly #module: typeof http | typeof https;

  /**
   * @param connectTimeoutMs the time that is divided among the addresses of the endpoint, in milliseconds
   * @param ca trusted certificates in PEM format, instead of those of the system
   */
  constructor(endpoint: URL, connectTimeoutMs: number, ca?: string) {
    const secure = endpoint.protocol === 'https:';
    const options = { keepAlive: true, timeout: IDLE_SOCKET_TIMEOUT_MS };
    this.#module = secure ? https : http;
    const agent = secure ? new https.Agent({ ...options, ...(ca && { ca }) }) : new http.Agent(options);
    this.#agent = divideConnectTime(agent, connectTimeoutMs);
    this.#axios = axios.create({
      baseURL: endpoint.origin,
      httpAgent: this.#agent,
      httpsAgent: this.#agent,
      maxRedirects: 0,
      proxy: false,
      decompress: false,
      maxContentLength: MAX_RESPONSE_BYTES,
      responseType: 'arraybuffer',
      transformRequest: [],
      transformResponse: [],
      validateStatus: () => true,
    });
  }

  /**
   * Sends a request.
   *
   * @param signal aborts the attempt and destroys its socket
   * @throws CloudUnreachableError if nothing was sent
   * @throws CloudFailedError if the request was sent, or may have been, and no complete response arrived
   */
  async post({ headers, body }: SignedRequest, signal: AbortSignal): Promise<HttpResponse> {
    const sending = { sent: false };
    try {
      const response = await this.#axios.request<Buffer>({
        method: 'POST',
        url: '/',
        headers,
        data: body,
        signal,
        transport: this.#trackSending(sending),
      });
      const { date } = response.headers;
      return { status: response.status, body: response.data, ...(typeof date === 'string' && { date }) };
    } catch (error) {
      if (!isAxiosError(error)) throw error;
      // The error contains the headers of the request, so only its code is used.
      const reason = error.code ?? 'unknown';
      throw sending.sent ? new CloudFailedError(reason) : new CloudUnreachableError(reason);
    }
  }

  /** Destroys all connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Records when the request is sent: as soon as the connection is established and its certificate is verified. */
  #trackSending(sending: { sent: boolean }): { request: typeof https.request } {
    const request = (
      options: RequestOptions,
      onResponse: (response: IncomingMessage) => void,
    ): ClientRequest => {
      const clientRequest = this.#module.request(options, onResponse);
      clientRequest.once('socket', (socket: Socket) => {
        // A socket is reused before it is connected if the request that it was created for has timed out.
        if (clientRequest.reusedSocket && !isConnecting(socket)) sending.sent = true;
        else socket.once(this.#module === https ? 'secureConnect' : 'connect', () => (sending.sent = true));
      });
      return clientRequest;
    };
    return { request: request as typeof https.request };
  }
}

function isConnecting(socket: Socket): boolean {
  // Node.js sets secureConnecting until the certificate is verified.
  return socket.connecting || (socket as { secureConnecting?: boolean }).secureConnecting === true;
}
