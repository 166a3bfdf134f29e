import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ProblemException } from '../problems/problem.exception.js';

/** The fraction of the grace before stops are rejected: long enough for a load balancer to stop sending traffic. */
const DRAIN_DELAY_FRACTION = 0.2;

/** The end of the grace is reserved for closing the listener and the connections. */
const CLOSING_MS = 2000;

/** The limit of this reserve when the grace is short. */
const CLOSING_FRACTION = 0.25;

/** No request may arrive for this long before the listener closes: a client that is just connecting would see a reset. */
const IDLE_BEFORE_CLOSE_MS = 500;

const POLL_INTERVAL_MS = 25;

/** Counts polls, not time: after a stall, pending connections are not yet accepted. */
const IDLE_POLLS = IDLE_BEFORE_CLOSE_MS / POLL_INTERVAL_MS;

/** Another replica can immediately serve a stop that this one rejects. */
const RETRY_ON_ANOTHER_REPLICA_MS = 1000;

/** The problem of a stop that this process rejects because it shuts down. */
export function shuttingDown(): ProblemException {
  return new ProblemException('shutting-down', { retryAfterMs: RETRY_ON_ANOTHER_REPLICA_MS });
}

/** Why load balancers should send no traffic to this process. */
export const NOT_READY_REASONS = ['starting', 'draining', 'no-credentials', 'redis-never-reached'] as const;

export type NotReadyReason = (typeof NOT_READY_REASONS)[number];

/**
 * The state of this process: starting, serving or draining. Draining has two phases: first the process still serves
 * and asks clients to use another replica, then it rejects new stops and finishes what is in flight.
 */
@Injectable()
export class Lifecycle implements OnApplicationBootstrap {
  #state: 'starting' | 'serving' | 'draining' = 'starting';
  /** The number of components that hold each request in flight. */
  readonly #inFlight = new Map<object, number>();
  readonly #rejecting = new AbortController();
  #requestsSeen = 0;

  onApplicationBootstrap(): void {
    this.#state = 'serving';
  }

  get state(): 'starting' | 'serving' | 'draining' {
    return this.#state;
  }

  /** Whether connections close with their next response, so that clients connect to another replica. */
  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** Aborted with the problem `shutting-down` when new stops are rejected and waiting stops must end. */
  get rejecting(): AbortSignal {
    return this.#rejecting.signal;
  }

  /** The problem that rejects new stops; undefined while stops are served. */
  get rejection(): ProblemException | undefined {
    return this.#rejecting.signal.reason as ProblemException | undefined;
  }

  /** Requests in flight. A stop whose client has disconnected is in flight until its upstream call ends. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Holds a request. Each request counts once, also when several components hold it.
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
   * Drains: serves for a fraction of the grace, then rejects new stops until nothing is in flight and no request has
   * arrived for {@link IDLE_BEFORE_CLOSE_MS}, or until it is time to close the listener.
   *
   * @param graceMs the maximum duration of the whole shutdown, in milliseconds
   */
  async drain(graceMs: number): Promise<void> {
    const end = performance.now() + graceMs - Math.min(CLOSING_MS, CLOSING_FRACTION * graceMs);
    this.#state = 'draining';
    await sleep(graceMs * DRAIN_DELAY_FRACTION);
    this.#rejecting.abort(shuttingDown());
    for (let idlePolls = 0; performance.now() < end && idlePolls < IDLE_POLLS;) {
      const seen = this.#requestsSeen;
      await sleep(POLL_INTERVAL_MS);
      idlePolls = this.inFlight === 0 && this.#requestsSeen === seen ? idlePolls + 1 : 0;
    }
  }

  /** Waits until nothing is in flight, or until `performance.now()` reaches `endsAt`. */
  async finished(endsAt: number): Promise<void> {
    while (this.inFlight > 0 && performance.now() < endsAt) await sleep(POLL_INTERVAL_MS);
  }
}
