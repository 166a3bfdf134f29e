import { DelegateBackoff, handleWhen, retry } from 'cockatiel';
import type { Action } from './action.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { ClockOffset } from './clock-offset.js';
import type { Clock } from './clock.js';
import { CallState, type SignatureCorrection } from './call-state.js';
import type { Credentials } from './credentials/credentials.js';
import { CredentialsRenewal } from './credentials/credentials-renewal.js';
import { parseResponse } from './parse-response.js';
import { isCode } from './error-codes.js';
import { CloudRejectedError, CloudUnreachableError, describeFailure } from './errors.js';
import type { CallObserver, ClientObserver } from './observer.js';
import type { Permit, ReleaseReason } from './permit.js';
import type { ProxyOptions } from './proxy-tunnel.js';
import { RetryBudget } from './retry-budget.js';
import { RequestSigner } from './request-signer.js';
import { type SignedRequest, Transport } from './transport.js';

/** The timestamp of the signature differs from the cloud's clock by more than five minutes. */
const SIGNATURE_EXPIRED = 'AuthFailure.SignatureExpire';

/** The session is revoked, or the key is deleted or disabled. */
const CREDENTIALS_REJECTED = [
  'AuthFailure.TokenFailure',
  'AuthFailure.SecretIdNotFound',
  'AuthFailure.InvalidSecretId',
];

export interface CallOptions {
  /** Sent as X-TC-Region. */
  region: string;
  /**
   * Called before each attempt. If it rejects before the first one, the call rejects with the same error.
   *
   * @param maxWaitMs how long the permit of a retry may take, in milliseconds; undefined for the first attempt
   */
  acquirePermit(maxWaitMs?: number): Promise<Permit>;
  observer?: CallObserver;
  /** Asked after each failed attempt. Default, also if it returns undefined: `maxAttempts` of the client. */
  maxAttempts?(): number | undefined;
}

/** The result of a call that reached its goal. */
export interface CallResult {
  /** Tencent Cloud's RequestId of the attempt that confirmed it. */
  readonly requestId: string;
  /** Whether the goal was reached before this call. False if an earlier attempt of this call may have reached it. */
  readonly alreadyDone: boolean;
}

export interface ClientOptions {
  /** Origin of the API, such as `https://trtc.intl.tencentcloudapi.com`. */
  endpoint: URL;
  /** Called before each attempt, so credentials can change at any time. The call rejects with its error. */
  getCredentials(): Credentials;
  /** Called when the cloud has rejected the credentials. Resolves after one try to load others, even if it fails. */
  renewCredentials(): Promise<void>;
  /** Timeout of one attempt, including the connection, in milliseconds. */
  attemptTimeoutMs: number;
  /** Timeout of all attempts of a call, in milliseconds from the first attempt on. */
  deadlineMs: number;
  maxAttempts: number;
  clock: Clock;
  /** Returns a number in [0, 1), for the backoff. */
  random: () => number;
  observer?: ClientObserver;
  /** Trusted certificates in PEM format, instead of those of the system. */
  ca?: string | undefined;
  /** The proxy of all connections. */
  proxy?: ProxyOptions | undefined;
}

/** What a signature is made with. */
interface SignedWith {
  readonly credentials: Credentials;
  readonly clockOffsetMs: number;
}

/**
 * A client of Tencent Cloud's API 3.0. It signs requests with TC3-HMAC-SHA256, retries attempts that failed, limits
 * retries by a budget, and stops calling a cloud that keeps failing (circuit breaker).
 */
export class TencentCloudClient {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #signer: RequestSigner;
  readonly #circuitBreaker: CircuitBreaker;
  readonly #retryBudget: RetryBudget;
  readonly #clockOffset = new ClockOffset();
  readonly #renewal: CredentialsRenewal;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options);
    this.#signer = new RequestSigner(options.endpoint);
    this.#circuitBreaker = new CircuitBreaker(options.clock, options.observer);
    this.#renewal = new CredentialsRenewal(options);
    this.#retryBudget = new RetryBudget(options.clock.now());
  }

  /**
   * Calls an action, with retries until the deadline. Each attempt acquires a permit and has its own signature.
   *
   * @throws CloudRejectedError if the cloud rejected the call: it had no effect
   * @throws CloudFailedError if no definite response arrived: the call may have taken effect
   * @throws CloudTimeoutError if no response arrived in time: the call may have taken effect
   * @throws CloudUnreachableError if nothing was sent
   * @throws CircuitOpenError if nothing was sent because the circuit is open
   * @throws the error of `getCredentials`: nothing was sent
   * @throws the error of `acquirePermit` before the first attempt: nothing was sent
   */
  async call(action: Action, options: CallOptions): Promise<CallResult> {
    const maxAttempts = (): number => options.maxAttempts?.() ?? this.#options.maxAttempts;
    const callState = new CallState({ ...this.#options, maxAttempts });
    this.#retryBudget.deposit();
    try {
      return await this.#attempt(callState, action, options);
    } catch (error) {
      return await this.#retry(error, callState, () => this.#attempt(callState, action, options));
    }
  }

  /** Closes all connections. Calls in flight fail. */
  close(): void {
    this.#transport.close();
  }

  /** Creates the retry policy only after a failure, because most calls succeed at once. */
  async #retry(
    firstError: unknown,
    callState: CallState,
    attempt: () => Promise<CallResult>,
  ): Promise<CallResult> {
    const policy = retry(
      handleWhen((error) => this.#shouldRetry(callState, error)),
      { maxAttempts: this.#options.maxAttempts, backoff: new DelegateBackoff(() => callState.backoffMs()) },
    );
    try {
      return await policy.execute((context) =>
        context.attempt === 0 ? Promise.reject(firstError) : attempt(),
      );
    } catch (error) {
      throw callState.resolveError(error);
    }
  }

  #shouldRetry(callState: CallState, error: unknown): boolean {
    const { clock, observer } = this.#options;
    const reason = callState.recordFailure(error);
    if (!reason) return false;
    // Revoked credentials or a wrong clock affect all calls in flight, and each needs one retry with another signature.
    const isCorrected = reason === callState.correction;
    if (!isCorrected && !this.#retryBudget.tryWithdraw(clock.now())) return false;
    observer?.retried(reason);
    return true;
  }

  /** Removes the cause of a rejected signature. Returns why the next signature will differ; undefined if it will not. */
  async #correctSignature(
    error: unknown,
    { credentials, clockOffsetMs }: SignedWith,
    timeoutMs: number,
  ): Promise<SignatureCorrection | undefined> {
    if (!(error instanceof CloudRejectedError)) return undefined;
    if (error.cloudCode === SIGNATURE_EXPIRED)
      return this.#correctClock(clockOffsetMs, error.date) ? 'clock-skew' : undefined;
    if (!CREDENTIALS_REJECTED.some((code) => isCode(error.cloudCode, code))) return undefined;
    return (await this.#renewal.replace(credentials, timeoutMs)) ? 'credentials' : undefined;
  }

  #correctClock(rejectedMs: number, date: string | undefined): boolean {
    const { clock, observer } = this.#options;
    const beforeMs = this.#clockOffset.ms;
    const isCorrected = this.#clockOffset.correct(rejectedMs, date, clock.wallClockMs());
    if (this.#clockOffset.ms !== beforeMs) observer?.clockCorrected(this.#clockOffset.ms);
    return isCorrected;
  }

  async #attempt(callState: CallState, action: Action, options: CallOptions): Promise<CallResult> {
    this.#circuitBreaker.assertClosed();
    const permit = await options.acquirePermit(
      callState.attempts === 0 ? undefined : callState.remainingMs(),
    );
    let signedWith: SignedWith | undefined;
    try {
      this.#circuitBreaker.assertClosed();
      callState.startAttempt();
      // Outside the circuit breaker: an error of the credentials must not count as a response of the cloud.
      signedWith = { credentials: this.#options.getCredentials(), clockOffsetMs: this.#clockOffset.ms };
      const request = this.#sign(action, options.region, signedWith);
      const send = () => this.#send(callState, action, request, permit, options.observer);
      return await this.#circuitBreaker.run(send);
    } catch (error) {
      if (error instanceof CloudRejectedError && error.cloudCode === action.alreadyDoneCode)
        return { requestId: error.requestId, alreadyDone: !callState.isOutcomeUnknown };
      if (signedWith)
        callState.correction = await this.#correctSignature(error, signedWith, callState.remainingMs());
      throw error;
    } finally {
      // Has no effect if the attempt was sent, because only the first release counts.
      permit.release('unused');
    }
  }

  #sign(action: Action, region: string, { credentials, clockOffsetMs }: SignedWith): SignedRequest {
    const timestamp = Math.floor((this.#options.clock.wallClockMs() + clockOffsetMs) / 1000);
    return this.#signer.sign(action, region, credentials, timestamp);
  }

  async #send(
    callState: CallState,
    action: Action,
    request: SignedRequest,
    permit: Permit,
    callObserver: CallObserver | undefined,
  ): Promise<CallResult> {
    const { clock, observer } = this.#options;
    const startedAt = clock.now();
    let code = 'OK';
    let status: number | undefined;
    let requestId: string | undefined;
    try {
      const timeoutMs = Math.min(this.#options.attemptTimeoutMs, callState.remainingMs());
      const response = await this.#transport.post(request, timeoutMs);
      ({ status } = response);
      requestId = parseResponse(response, request.secrets).RequestId;
      permit.release('completed');
      return { requestId, alreadyDone: false };
    } catch (error) {
      ({ code, requestId } = describeFailure(error));
      permit.release(releaseReason(error, code, status !== undefined));
      throw error;
    } finally {
      const durationMs = clock.now() - startedAt;
      const succeeded = code === 'OK' || code === action.alreadyDoneCode;
      const attempt = { startedAt, durationMs, code, succeeded, status, requestId };
      observer?.attemptCompleted(attempt, action.name);
      callObserver?.attemptCompleted(attempt);
    }
  }
}

function releaseReason(error: unknown, code: string, hasResponse: boolean): ReleaseReason {
  if (isCode(code, 'RequestLimitExceeded')) return 'throttled';
  // Without a connection nothing arrived. Holding the permit anyway rate-limits reconnects.
  return hasResponse || error instanceof CloudUnreachableError ? 'completed' : 'abandoned';
}
