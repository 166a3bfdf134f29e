import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ProblemException } from '../problems/problem.exception.js';

/** The fraction of the grace before calls are rejected: long enough for a load balancer to stop sending traffic. */
const DRAIN_DELAY_FRACTION = 0.2;

/** How much of the end of the grace remains for closing the listener and the connections. */
const CLOSING_MS = 2000;

/** Of a short grace, this fraction. */
const CLOSING_FRACTION = 0.25;

/** How long no request may arrive before the listener closes: a client that is just connecting would see a reset. */
const IDLE_BEFORE_CLOSE_MS = 500;

const POLL_INTERVAL_MS = 25;

/** Counts polls, not time: after a stall, pending connections are not yet accepted. */
const IDLE_POLLS = IDLE_BEFORE_CLOSE_MS / POLL_INTERVAL_MS;

/** Another replica can serve at once a call that this one rejects. */
const RETRY_ON_ANOTHER_REPLICA_MS = 1000;

/**
 * The state of this process: starting, serving, draining (still serves, but asks clients to use another replica),
 * rejecting (finishes what is in flight).
 */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap {
  #state: 'starting' | 'serving' | 'draining' | 'rejecting' = 'starting';
  /** Each request in flight, and how many components hold it. */
  readonly #inFlight = new Map<object, number>();
  readonly #rejecting = new AbortController();
  #requestsSeen = 0;

  onApplicationBootstrap(): void {
    this.#state = 'serving';
  }

  /** Whether load balancers should send traffic. */
  get isReady(): boolean {
    return this.#state === 'serving';
  }

  /** Whether connections close with their next response, so that clients connect to another replica. */
  get isDraining(): boolean {
    return this.#state === 'draining' || this.#state === 'rejecting';
  }

  /** Aborted, with the problem to respond with, when new stops are rejected and none may wait any longer. */
  get rejecting(): AbortSignal {
    return this.#rejecting.signal;
  }

  /** The rejection of a new stop; undefined while stops are served. */
  get rejection(): ProblemException | undefined {
    return this.#rejecting.signal.aborted ? (this.#rejecting.signal.reason as ProblemException) : undefined;
  }

  /** Requests in flight. A stop whose client has disconnected is in flight until its upstream call ends. */
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
    this.#requestsSeen += 1;
  }

  /** Releases one hold of a request. */
  requestFinished(request: object): void {
    const holds = this.#inFlight.get(request) ?? 0;
    if (holds > 1) this.#inFlight.set(request, holds - 1);
    else this.#inFlight.delete(request);
  }

  /**
   * Drains: keeps serving for a moment, then rejects new stops, until nothing is in flight and no request has arrived
   * for a while, or until it is time to close the listener.
   *
   * @param graceMs how long the whole shutdown may take, in milliseconds
   */
  async drain(graceMs: number): Promise<void> {
    const end = performance.now() + graceMs - Math.min(CLOSING_MS, CLOSING_FRACTION * graceMs);
    this.#state = 'draining';
    await sleep(graceMs * DRAIN_DELAY_FRACTION);
    this.#state = 'rejecting';
    this.#rejecting.abort(
      new ProblemException('shutting-down', { retryAfterMs: RETRY_ON_ANOTHER_REPLICA_MS }),
    );
    for (let idlePolls = 0; performance.now() < end && idlePolls < IDLE_POLLS;) {
      const seen = this.#requestsSeen;
      await sleep(POLL_INTERVAL_MS);
      idlePolls = this.inFlight === 0 && this.#requestsSeen === seen ? idlePolls + 1 : 0;
    }
  }

  /** Waits until nothing is in flight, at the latest until `endsAt` by `performance.now()`. */
  async finished(endsAt: number): Promise<void> {
    while (this.inFlight > 0 && performance.now() < endsAt) await sleep(POLL_INTERVAL_MS);
  }
}
