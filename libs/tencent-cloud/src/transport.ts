import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { CloudFailedError, CloudUnreachableError } from './errors.js';

/** An answer of StopStreamIngest has about a hundred bytes. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Shorter than the 60 s after which the far end is said to close: it must not close just as we reuse. */
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

interface SignedPost extends SignedRequest {
  /** Ends the attempt and destroys its socket. */
  readonly signal: AbortSignal;
}

/**
 * Carries one POST to the endpoint over a connection kept alive. No redirect is followed, no proxy is taken from
 * the environment, no answer is decompressed, and none is read beyond its cap.
 */
export class Transport {
  readonly #axios: AxiosInstance;
  readonly #agent: http.Agent | https.Agent;
  readonly #module: typeof http | typeof https;

  /** @param ca certificates to trust instead of the system's, PEM */
  constructor(endpoint: URL, ca?: string) {
    const secure = endpoint.protocol === 'https:';
    const options = { keepAlive: true, timeout: IDLE_SOCKET_TIMEOUT_MS };
    this.#module = secure ? https : http;
    this.#agent = secure ? new https.Agent({ ...options, ...(ca && { ca }) }) : new http.Agent(options);
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
   * @throws CloudUnreachableError when nothing was sent
   * @throws CloudFailedError when the request was sent, or may have been, and the answer did not arrive whole
   */
  async post({ headers, body, signal }: SignedPost): Promise<HttpResponse> {
    const sending = { sent: false };
    try {
      const {
        status,
        data,
        headers: responseHeaders,
      } = await this.#axios.request<Buffer>({
        method: 'POST',
        url: '/',
        headers,
        data: body,
        signal,
        transport: this.#trackSending(sending),
      });
      const { date } = responseHeaders;
      return { status, body: data, ...(typeof date === 'string' && { date }) };
    } catch (error) {
      if (!isAxiosError(error)) throw error;
      // It holds the request's headers: nothing of it but its code goes on.
      const reason = error.code ?? 'unknown';
      throw sending.sent ? new CloudFailedError(reason) : new CloudUnreachableError(reason);
    }
  }

  /** Destroys every connection, idle or not. */
  close(): void {
    this.#agent.destroy();
  }

  /** A request leaves the moment its connection is up, TLS and certificate checked included. */
  #trackSending(sending: { sent: boolean }): { request: typeof https.request } {
    const request = (
      options: RequestOptions,
      onResponse: (response: IncomingMessage) => void,
    ): ClientRequest => {
      const clientRequest = this.#module.request(options, onResponse);
      clientRequest.once('socket', (socket: Socket) => {
        if (clientRequest.reusedSocket) sending.sent = true;
        else socket.once(this.#module === https ? 'secureConnect' : 'connect', () => (sending.sent = true));
      });
      return clientRequest;
    };
    return { request: request as typeof https.request };
  }
}
