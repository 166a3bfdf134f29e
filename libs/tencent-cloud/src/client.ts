import { DelegateBackoff, handleWhen, retry } from 'cockatiel';
import type { Action } from './action.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { ClockOffset } from './clock-offset.js';
import type { Clock } from './clock.js';
import { Course } from './course.js';
import type { Credentials } from './credentials/credentials.js';
import { decodeAnswer } from './decode-answer.js';
import { codeOf, requestIdOf } from './end-of-attempt.js';
import { isCode } from './error-codes.js';
import { CloudRefused, CloudTimeout, CloudUnreachable } from './errors.js';
import type { CallObserver, ClientObserver } from './observer.js';
import type { Permit, ReleaseReason } from './permit.js';
import { RetryBudget } from './retry-budget.js';
import { SignedPosts } from './signed-post.js';
import { type HttpAnswer, type Message, Transport } from './transport.js';

/** The clock that signed is more than five minutes off. */
const SIGNATURE_EXPIRED = 'AuthFailure.SignatureExpire';

export interface CallOptions {
  /** Sent as X-TC-Region. */
  region: string;
  /**
   * Asked before each attempt; its rejection before the first one ends the call as it is.
   *
   * @param withinMs for a repetition: how long it may wait, in milliseconds
   */
  admit(withinMs?: number): Promise<Permit>;
  observer?: CallObserver;
}

/** How a call ended that did what it was for. */
export interface Done {
  /** Tencent's RequestId of the attempt that said so. */
  readonly requestId: string;
  /** What was asked for held before this call, as far as can be known. */
  readonly before: boolean;
}

export interface ClientOptions {
  /** Origin of the API, such as `https://trtc.intl.tencentcloudapi.com`. */
  endpoint: URL;
  /** Asked before each attempt, so that keys can change while the client lives. What it throws ends the call. */
  credentials(): Credentials;
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
  readonly #posts: SignedPosts;
  readonly #circuitBreaker: CircuitBreaker;
  readonly #budget: RetryBudget;
  readonly #clockOffset = new ClockOffset();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options.endpoint, options.ca);
    this.#posts = new SignedPosts(options.endpoint);
    this.#circuitBreaker = new CircuitBreaker(options.clock, options.observer);
    this.#budget = new RetryBudget(options.clock.now());
  }

  /**
   * Calls one action, and again while that is safe, worth it and within the deadline. Each attempt is admitted and
   * signed anew.
   *
   * @throws CloudRefused when the cloud refused: the call had no effect
   * @throws CloudFailed when no definite answer came back: it may have had
   * @throws CloudTimeout when none came in time: it may have had
   * @throws CloudUnreachable when nothing was sent
   * @throws CircuitOpen when nothing was sent because the cloud has failed too often
   * @throws whatever `credentials` throws: nothing was sent
   * @throws whatever `admit` rejects with before the first attempt
   */
  async call<P>(action: Action<P>, parameters: P, options: CallOptions): Promise<Done> {
    const course = new Course(this.#options);
    this.#budget.earn();
    const policy = retry(
      handleWhen((error) => this.#mayRepeat(course, error)),
      { maxAttempts: this.#options.maxAttempts, backoff: new DelegateBackoff(() => course.backoffMs()) },
    );
    try {
      return await policy.execute(() => this.#attempt(course, action, parameters, options));
    } catch (error) {
      throw course.verdict(error);
    }
  }

  /** Closes every connection; calls under way fail. */
  close(): void {
    this.#transport.close();
  }

  #mayRepeat(course: Course, error: unknown): boolean {
    const { clock, observer } = this.#options;
    if (error instanceof CloudRefused && error.cloudCode === SIGNATURE_EXPIRED)
      course.correctClockOnce(() => this.#correctClock(error.date));
    const reason = course.failed(error);
    if (!reason || !this.#budget.spend(clock.now())) return false;
    observer?.retried(reason);
    return true;
  }

  #correctClock(date: string | undefined): boolean {
    const corrected = this.#clockOffset.correct(date, this.#options.clock.epochMs());
    if (corrected) this.#options.observer?.clockCorrected(this.#clockOffset.ms);
    return corrected;
  }

  async #attempt<P>(course: Course, action: Action<P>, parameters: P, options: CallOptions): Promise<Done> {
    this.#circuitBreaker.assertClosed();
    const permit = await options.admit(course.attempts === 0 ? undefined : course.leftMs());
    try {
      this.#circuitBreaker.assertClosed();
      course.beginAttempt();
      // Not inside the circuit, to which whatever can be said without the cloud would be news of the cloud.
      const message = this.#write(action, parameters, options.region);
      return await this.#circuitBreaker.run(() =>
        this.#send(course, action, message, permit, options.observer),
      );
    } catch (error) {
      if (error instanceof CloudRefused && error.cloudCode === action.doneCode)
        return { requestId: error.requestId, before: !course.mayHaveTakenEffect };
      throw error;
    } finally {
      // For an attempt that was sent this is not the first release.
      permit.release('unused');
    }
  }

  #write<P>(action: Action<P>, parameters: P, region: string): Message {
    const at = Math.floor((this.#options.clock.epochMs() + this.#clockOffset.ms) / 1000);
    return this.#posts.write(action, parameters, region, this.#options.credentials(), at);
  }

  async #send<P>(
    course: Course,
    action: Action<P>,
    message: Message,
    permit: Permit,
    callObserver: CallObserver | undefined,
  ): Promise<Done> {
    const { clock, observer } = this.#options;
    const startedAt = clock.now();
    let code = 'OK';
    let status: number | undefined;
    let requestId: string | undefined;
    try {
      const answer = await this.#post(message, Math.min(this.#options.attemptTimeoutMs, course.leftMs()));
      ({ status } = answer);
      requestId = decodeAnswer(answer).RequestId;
      permit.release('completed');
      return { requestId, before: false };
    } catch (error) {
      requestId = requestIdOf(error);
      code = codeOf(error);
      permit.release(releaseReason(error, status !== undefined));
      throw error;
    } finally {
      const durationMs = clock.now() - startedAt;
      const succeeded = code === 'OK' || code === action.doneCode;
      observer?.attempted(action.name, code, durationMs);
      callObserver?.attempted({ startedAt, durationMs, code, succeeded, status, requestId });
    }
  }

  async #post(message: Message, timeoutMs: number): Promise<HttpAnswer> {
    const late = new AbortController();
    const inTime = this.#options.clock.wakeIn(timeoutMs, () => late.abort());
    try {
      return await this.#transport.post({ ...message, signal: late.signal });
    } catch (error) {
      if (!late.signal.aborted) throw error;
      throw error instanceof CloudUnreachable ? new CloudUnreachable('timeout') : new CloudTimeout();
    } finally {
      inTime();
    }
  }
}

function releaseReason(error: unknown, hasResponse: boolean): ReleaseReason {
  if (isCode(codeOf(error), 'RequestLimitExceeded')) return 'throttled';
  // Nothing of an attempt that found no connection arrived. To hold its permit anyway rate-limits reconnects.
  return hasResponse || error instanceof CloudUnreachable ? 'completed' : 'abandoned';
}
