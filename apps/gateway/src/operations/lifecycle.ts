import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Problem } from '../problems/problem.js';

/** What part of the grace goes by before calls are refused: long enough for a load balancer to look elsewhere. */
const LINGER_SHARE = 0.2;

/** How much of the end of the grace is left for closing the listener and the connections, in milliseconds. */
const CLOSING_MS = 1000;

/** Of a short grace, this share. */
const CLOSING_SHARE = 0.25;

/** How long it must be quiet before the listener closes: a caller just connecting would see a reset. */
const QUIET_MS = 500;

const POLL_MS = 25;

/** Counted in looks rather than by the clock: a process that was held up has not looked who is at the door. */
const QUIET_LOOKS = QUIET_MS / POLL_MS;

/** Another replica can serve at once a call that this one refuses as it leaves. */
const RETRY_ELSEWHERE_MS = 1000;

/**
 * Where this process is in its life: starting, serving, leaving (still serves, but asks to be left alone), refusing
 * (finishes what it has), gone.
 */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap {
  #state: 'starting' | 'serving' | 'leaving' | 'refusing' = 'starting';
  /** Each request in flight, and how many components hold it. */
  readonly #inFlight = new Map<object, number>();
  readonly #endOfWaiting = new AbortController();
  #seen = 0;

  onApplicationBootstrap(): void {
    this.#state = 'serving';
  }

  /** Whether to send it traffic. */
  get ready(): boolean {
    return this.#state === 'serving';
  }

  /** Whether connections end with their next answer, so that callers find another replica. */
  get leaving(): boolean {
    return this.#state === 'leaving' || this.#state === 'refusing';
  }

  /** Aborted, with the problem to answer, when new calls are refused and none may wait any longer. */
  get refusing(): AbortSignal {
    return this.#endOfWaiting.signal;
  }

  /** Requests in flight. One whose caller has disconnected is in flight until its call to the cloud ends. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Holds a request, which counts once however often it is held.
   *
   * @param request the object that identifies it
   */
  requestStarted(request: object): void {
    this.#inFlight.set(request, (this.#inFlight.get(request) ?? 0) + 1);
    this.#seen += 1;
  }

  /** Releases one hold of a request. */
  requestFinished(request: object): void {
    const holds = this.#inFlight.get(request) ?? 0;
    if (holds > 1) this.#inFlight.set(request, holds - 1);
    else this.#inFlight.delete(request);
  }

  /** One has come and been answered at once. */
  passed(): void {
    this.#seen += 1;
  }

  /**
   * Drains: keeps serving for a moment, then rejects new calls, until nothing is in flight and no request has come for
   * a while, or until it is time to close the listener.
   *
   * @param graceMs how long the whole shutdown may take, in milliseconds
   */
  async drain(graceMs: number): Promise<void> {
    const end = performance.now() + graceMs - Math.min(CLOSING_MS, CLOSING_SHARE * graceMs);
    this.#state = 'leaving';
    await sleep(graceMs * LINGER_SHARE);
    this.#state = 'refusing';
    this.#endOfWaiting.abort(new Problem('shutting-down', { retryAfterMs: RETRY_ELSEWHERE_MS }));
    for (let quiet = 0; performance.now() < end && quiet < QUIET_LOOKS;) {
      const seen = this.#seen;
      await sleep(POLL_MS);
      quiet = this.inFlight === 0 && this.#seen === seen ? quiet + 1 : 0;
    }
  }

  /** Waits until nothing is in flight, at the latest until `endsAt` by `performance.now()`. */
  async finished(endsAt: number): Promise<void> {
    while (this.inFlight > 0 && performance.now() < endsAt) await sleep(POLL_MS);
  }
}
