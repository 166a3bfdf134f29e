import { DelegateBackoff, handleWhen, retry } from 'cockatiel';
import type { Action } from './action.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { ClockOffset } from './clock-offset.js';
import type { Clock } from './clock.js';
import { CallState } from './call-state.js';
import type { Credentials } from './credentials/credentials.js';
import { parseResponse } from './parse-response.js';
import { attemptCode, attemptRequestId } from './attempt-result.js';
import { isCode } from './error-codes.js';
import { CloudRejectedError, CloudTimeoutError, CloudUnreachableError } from './errors.js';
import type { CallObserver, ClientObserver } from './observer.js';
import type { Permit, ReleaseReason } from './permit.js';
import { RetryBudget } from './retry-budget.js';
import { RequestSigner } from './request-signer.js';
import { type HttpResponse, type SignedRequest, Transport } from './transport.js';

/** The clock that signed is more than five minutes off. */
const SIGNATURE_EXPIRED = 'AuthFailure.SignatureExpire';

export interface CallOptions {
  /** Sent as X-TC-Region. */
  region: string;
  /**
   * Asked before each attempt; its rejection before the first one ends the call as it is.
   *
   * @param maxWaitMs for a repetition: how long it may wait, in milliseconds
   */
  acquirePermit(maxWaitMs?: number): Promise<Permit>;
  observer?: CallObserver;
}

/** How a call ended that did what it was for. */
export interface CallResult {
  /** Tencent's RequestId of the attempt that said so. */
  readonly requestId: string;
  /** What was asked for held before this call, as far as can be known. */
  readonly alreadyDone: boolean;
}

export interface ClientOptions {
  /** Origin of the API, such as `https://trtc.intl.tencentcloudapi.com`. */
  endpoint: URL;
  /** Asked before each attempt, so that keys can change while the client lives. What it throws ends the call. */
  getCredentials(): Credentials;
  /** For one attempt, connecting included, in milliseconds. */
  attemptTimeoutMs: number;
  /** For all attempts of a call, in milliseconds from the first one on. */
  deadlineMs: number;
  maxAttempts: number;
  clock: Clock;
  /** Yields [0, 1), for the backoff. */
  random: () => number;
  observer?: ClientObserver;
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string;
}

/** Calls actions of Tencent Cloud's API 3.0, signed with TC3-HMAC-SHA256, and repeats what is safe to repeat. */
export class TencentCloudClient {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #signer: RequestSigner;
  readonly #circuitBreaker: CircuitBreaker;
  readonly #retryBudget: RetryBudget;
  readonly #clockOffset = new ClockOffset();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options.endpoint, options.ca);
    this.#signer = new RequestSigner(options.endpoint);
    this.#circuitBreaker = new CircuitBreaker(options.clock, options.observer);
    this.#retryBudget = new RetryBudget(options.clock.now());
  }

  /**
   * Calls one action, and again while that is safe, worth it and within the deadline. Each attempt is admitted and
   * signed anew.
   *
   * @throws CloudRejectedError when the cloud refused: the call had no effect
   * @throws CloudFailedError when no definite answer came back: it may have had
   * @throws CloudTimeoutError when none came in time: it may have had
   * @throws CloudUnreachableError when nothing was sent
   * @throws CircuitOpenError when nothing was sent because the cloud has failed too often
   * @throws whatever `credentials` throws: nothing was sent
   * @throws whatever `admit` rejects with before the first attempt
   */
  async call<P>(action: Action<P>, parameters: P, options: CallOptions): Promise<CallResult> {
    const callState = new CallState(this.#options);
    this.#retryBudget.deposit();
    const policy = retry(
      handleWhen((error) => this.#shouldRetry(callState, error)),
      { maxAttempts: this.#options.maxAttempts, backoff: new DelegateBackoff(() => callState.backoffMs()) },
    );
    try {
      return await policy.execute(() => this.#attempt(callState, action, parameters, options));
    } catch (error) {
      throw callState.resolveError(error);
    }
  }

  /** Closes every connection; calls under way fail. */
  close(): void {
    this.#transport.close();
  }

  #shouldRetry(callState: CallState, error: unknown): boolean {
    const { clock, observer } = this.#options;
    if (error instanceof CloudRejectedError && error.cloudCode === SIGNATURE_EXPIRED)
      callState.correctClockOnce(() => this.#correctClock(error.date));
    const reason = callState.recordFailure(error);
    if (!reason || !this.#retryBudget.tryWithdraw(clock.now())) return false;
    observer?.retried(reason);
    return true;
  }

  #correctClock(date: string | undefined): boolean {
    const corrected = this.#clockOffset.correct(date, this.#options.clock.wallClockMs());
    if (corrected) this.#options.observer?.clockCorrected(this.#clockOffset.ms);
    return corrected;
  }

  async #attempt<P>(
    callState: CallState,
    action: Action<P>,
    parameters: P,
    options: CallOptions,
  ): Promise<CallResult> {
    this.#circuitBreaker.assertClosed();
    const permit = await options.acquirePermit(
      callState.attempts === 0 ? undefined : callState.remainingMs(),
    );
    try {
      this.#circuitBreaker.assertClosed();
      callState.startAttempt();
      // Not inside the circuit, to which whatever can be said without the cloud would be news of the cloud.
      const request = this.#sign(action, parameters, options.region);
      return await this.#circuitBreaker.run(() =>
        this.#send(callState, action, request, permit, options.observer),
      );
    } catch (error) {
      if (error instanceof CloudRejectedError && error.cloudCode === action.alreadyDoneCode)
        return { requestId: error.requestId, alreadyDone: !callState.isOutcomeUnknown };
      throw error;
    } finally {
      // For an attempt that was sent this is not the first release.
      permit.release('unused');
    }
  }

  #sign<P>(action: Action<P>, parameters: P, region: string): SignedRequest {
    const timestamp = Math.floor((this.#options.clock.wallClockMs() + this.#clockOffset.ms) / 1000);
    return this.#signer.sign(action, parameters, region, this.#options.getCredentials(), timestamp);
  }

  async #send<P>(
    callState: CallState,
    action: Action<P>,
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
      const response = await this.#post(
        request,
        Math.min(this.#options.attemptTimeoutMs, callState.remainingMs()),
      );
      ({ status } = response);
      requestId = parseResponse(response).RequestId;
      permit.release('completed');
      return { requestId, alreadyDone: false };
    } catch (error) {
      requestId = attemptRequestId(error);
      code = attemptCode(error);
      permit.release(releaseReason(error, status !== undefined));
      throw error;
    } finally {
      const durationMs = clock.now() - startedAt;
      const succeeded = code === 'OK' || code === action.alreadyDoneCode;
      observer?.attemptCompleted(action.name, code, durationMs);
      callObserver?.attemptCompleted({ startedAt, durationMs, code, succeeded, status, requestId });
    }
  }

  async #post(request: SignedRequest, timeoutMs: number): Promise<HttpResponse> {
    const timeout = new AbortController();
    const cancelTimer = this.#options.clock.setTimer(timeoutMs, () => timeout.abort());
    try {
      return await this.#transport.post({ ...request, signal: timeout.signal });
    } catch (error) {
      if (!timeout.signal.aborted) throw error;
      throw error instanceof CloudUnreachableError
        ? new CloudUnreachableError('timeout')
        : new CloudTimeoutError();
    } finally {
      cancelTimer();
    }
  }
}

function releaseReason(error: unknown, hasResponse: boolean): ReleaseReason {
  if (isCode(attemptCode(error), 'RequestLimitExceeded')) return 'throttled';
  // Nothing of an attempt that found no connection arrived. To hold its permit anyway rate-limits reconnects.
  return hasResponse || error instanceof CloudUnreachableError ? 'completed' : 'abandoned';
}
