import { authorization, SigningKeys } from '#libs/tc3';
import type { Clock } from './clock.js';
import type { Credentials } from './credentials.js';
import { type Answer, decodeAnswer } from './decode-answer.js';
import { CloudFailed, CloudRefused, CloudTimeout, CloudUnreachable } from './errors.js';
import { type HttpAnswer, type Message, Transport } from './transport.js';

const CONTENT_TYPE = 'application/json';

/** One action of the API: its names on the wire and how its parameters are written. */
export interface Action<Parameters> {
  readonly name: string;
  /** The version of the API, a date. */
  readonly version: string;
  /** The product's name in the credential scope. */
  readonly service: string;
  write(parameters: Parameters): Record<string, unknown>;
}

/** Permission for one attempt, given back in one of these ways; whatever comes after the first is ignored. */
export interface Permit {
  /** An answer arrived, or the attempt ended for certain. */
  answered(): void;
  /** Given up without an answer: the request may yet arrive. */
  lost(): void;
  /** Nothing was sent. */
  unused(): void;
}

export interface CallOptions {
  /** Sent as X-TC-Region. */
  region: string;
  /** Asked before each attempt; its rejection ends the call as it is. */
  admit(): Promise<Permit>;
}

/** Is told how each attempt ended, for metrics. */
export interface ClientObserver {
  /**
   * @param code `OK`, the cloud's error code, `timeout`, `unreachable`, or `malformed` for everything that is not
   *   an answer
   */
  attempted(action: string, code: string, durationMs: number): void;
}

export interface ClientOptions {
  /** Origin of the API, such as `https://trtc.intl.tencentcloudapi.com`. */
  endpoint: URL;
  /** Asked before each attempt, so that keys can change while the client lives. */
  credentials(): Credentials;
  /** For one attempt, connecting included, in milliseconds. */
  attemptTimeoutMs: number;
  clock: Clock;
  observer?: ClientObserver;
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string;
}

/** Calls actions of Tencent Cloud's API 3.0, signed with TC3-HMAC-SHA256. */
export class TencentCloudClient {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #signingKeys = new SigningKeys();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options.endpoint, options.ca);
  }

  /**
   * Calls one action, once.
   *
   * @returns the members of `Response`
   * @throws CloudRefused when the cloud refused
   * @throws CloudFailed when no definite answer came back
   * @throws CloudTimeout when none came in time
   * @throws CloudUnreachable when nothing was sent
   * @throws whatever `admit` rejects with
   */
  async call<P>(action: Action<P>, parameters: P, options: CallOptions): Promise<Answer> {
    const permit = await options.admit();
    const startedAt = this.#options.clock.now();
    let code = 'OK';
    try {
      const { status, body } = await this.#post(this.#sign(action, parameters, options.region));
      permit.answered();
      return decodeAnswer(status, body);
    } catch (error) {
      giveBack(permit, error);
      code = codeOf(error);
      throw error;
    } finally {
      this.#options.observer?.attempted(action.name, code, this.#options.clock.now() - startedAt);
    }
  }

  /** Closes every connection; calls under way fail. */
  close(): void {
    this.#transport.close();
  }

  #sign<P>(action: Action<P>, parameters: P, region: string): Message {
    const { endpoint, clock } = this.#options;
    const credentials = this.#options.credentials();
    const at = Math.floor(clock.epochMs() / 1000);
    const body = JSON.stringify(action.write(parameters));
    const { host } = endpoint;
    const signed = { host, contentType: CONTENT_TYPE, payload: body, service: action.service };
    const headers = {
      Host: host,
      'Content-Type': CONTENT_TYPE,
      Accept: CONTENT_TYPE,
      'Accept-Encoding': 'identity',
      'User-Agent': 'ingest-gateway',
      'X-TC-Action': action.name,
      'X-TC-Version': action.version,
      'X-TC-Region': region,
      'X-TC-Timestamp': String(at),
      Authorization: authorization(signed, credentials, at, this.#signingKeys),
      ...(credentials.token !== undefined && { 'X-TC-Token': credentials.token }),
    };
    return { headers, body };
  }

  async #post(message: Message): Promise<HttpAnswer> {
    const { clock, attemptTimeoutMs } = this.#options;
    const late = new AbortController();
    const inTime = clock.wakeIn(attemptTimeoutMs, () => late.abort());
    try {
      return await this.#transport.post({ ...message, signal: late.signal });
    } catch (error) {
      throw late.signal.aborted && error instanceof CloudFailed ? new CloudTimeout() : error;
    } finally {
      inTime();
    }
  }
}

function giveBack(permit: Permit, error: unknown): void {
  if (error instanceof CloudFailed || error instanceof CloudTimeout) permit.lost();
  // Nothing arrived, but a permit held for its second paces the knocking on a closed door.
  else if (error instanceof CloudUnreachable) permit.answered();
  else permit.unused();
}

function codeOf(error: unknown): string {
  if (error instanceof CloudRefused) return error.cloudCode;
  if (error instanceof CloudFailed) return error.word?.cloudCode ?? 'malformed';
  return error instanceof CloudTimeout ? 'timeout' : 'unreachable';
}
