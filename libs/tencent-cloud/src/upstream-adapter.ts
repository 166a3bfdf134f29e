import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Clock } from './clock.js';
import {
  CloudConnectionLostError,
  CloudFailedError,
  CloudTimeoutError,
  CloudUnreachableError,
} from './errors.js';

/** A response of StopStreamIngest has about a hundred bytes. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

declare module 'axios' {
  interface AxiosRequestConfig {
    /** The headers, names and values in turn. The adapter of the upstream sends them and no other ones. */
    headerList?: readonly string[];
  }
}

/**
 * Creates the adapter with which axios sends requests to one endpoint. It follows no redirect, uses no proxy of the
 * environment, decompresses nothing, and limits the size of a response. It throws the errors of
 * {@link Transport.post}, which contain nothing of the request.
 *
 * axios's own adapter for Node.js does the same with these options, but takes longer: see docs/performance.md.
 *
 * @see https://axios-http.com/docs/req_config (adapter)
 */
export function createAdapter(
  endpoint: URL,
  agent: http.Agent,
  clock: Pick<Clock, 'setTimer'>,
): AxiosAdapter {
  const isSecure = endpoint.protocol === 'https:';
  const { request } = isSecure ? https : http;
  const options = {
    method: 'POST',
    path: '/',
    // An IPv6 address has brackets in a URL only.
    host: endpoint.hostname.replaceAll(/[[\]]/g, ''),
    port: endpoint.port || (isSecure ? 443 : 80),
    agent,
  };
  return (config) =>
    new Promise((resolve, reject) => {
      const { headerList = [], data, timeout = 0 } = config;
      new Exchange(request({ ...options, headers: headerList }), config, resolve, reject).start(
        data as string,
        timeout,
        clock,
      );
    });
}

/** One request and its response. */
class Exchange {
  #isSent = false;
  #cancelTimer: (() => void) | undefined;

  constructor(
    private readonly request: ClientRequest,
    private readonly config: InternalAxiosRequestConfig,
    private readonly resolve: (response: AxiosResponse<Buffer>) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  start(body: string, timeoutMs: number, clock: Pick<Clock, 'setTimer'>): void {
    this.#cancelTimer = clock.setTimer(timeoutMs, () => this.#timeOut());
    this.request.once('socket', (socket: Socket) => this.#trackSending(socket));
    this.request.once('response', (response) => this.#receive(response));
    // Not once: a destroyed request can emit another one.
    this.request.on('error', (error: NodeJS.ErrnoException) => this.#fail(toCloudError(error, this.#isSent)));
    this.request.end(body);
  }

  /** The request is sent as soon as the connection is established and its certificate is verified. */
  #trackSending(socket: Socket & { secureConnecting?: boolean }): void {
    // A reused socket is not connected yet if the request that it was created for has timed out.
    if (!socket.connecting && !socket.secureConnecting) this.#isSent = true;
    else
      socket.once(
        socket.secureConnecting === undefined ? 'connect' : 'secureConnect',
        () => (this.#isSent = true),
      );
  }

  #receive(response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_RESPONSE_BYTES) this.#fail(new CloudFailedError('too large'));
      else chunks.push(chunk);
    });
    response.on('error', (error: NodeJS.ErrnoException) => this.#fail(toCloudError(error, true)));
    response.once('end', () => {
      this.#cancelTimer?.();
      const { statusCode, headers } = response;
      this.resolve({
        status: statusCode!,
        statusText: '',
        headers: { date: headers.date },
        data: Buffer.concat(chunks),
        config: this.config,
      });
    });
  }

  #timeOut(): void {
    this.#fail(this.#isSent ? new CloudTimeoutError() : new CloudUnreachableError('timeout'));
  }

  #fail(error: Error): void {
    this.#cancelTimer?.();
    this.reject(error);
    this.request.destroy();
  }
}

function toCloudError({ code = 'unknown' }: NodeJS.ErrnoException, isSent: boolean): Error {
  if (!isSent) return new CloudUnreachableError(code);
  // The parser rejects the response: a response has arrived.
  return code.startsWith('HPE_') ? new CloudFailedError(code) : new CloudConnectionLostError(code);
}
