import type { OnApplicationShutdown } from '@nestjs/common';
import { type Quota, QuotaExhaustedError, type QueueReservation, type Slot } from '#libs/quota';
import type { StopResult } from '#libs/tencent-cloud';
import type { CoalescingMetrics, CoalescingSource } from './coalescing-metrics.js';
import type { EndedTaskCache } from './ended-task-cache.js';
import { UpstreamCall } from './upstream-call.js';

export interface TaskRef {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
}

/** A request to stop a task. */
export interface StopRequester {
  /** The caller for which the slot is acquired if this request leads. */
  readonly caller: string;
  /** The maximum wait for the slot, in milliseconds. */
  readonly waitMs: number;
  /** A slot that the request has already acquired, so that it does not wait. The request releases it in the end. */
  readonly slot?: Slot | undefined;
  /** How many attempts it needs; undefined for the default of the client. */
  readonly maxAttempts?: number;
  /** Ends the wait: the request fails with the signal's reason. Has no effect after admission of the call. */
  signal(): AbortSignal;
}

/** The one call to the cloud that requests for the same task share. */
export interface SharedCall {
  readonly upstreamCall: UpstreamCall;
  /**
   * Acquires the slot of the first attempt, which admits the call. Each request tries in turn until one gets a slot.
   *
   * @throws the error of the last request if none gets a slot; then nothing may be sent
   */
  acquireFirstSlot(): Promise<Slot>;
  /** The caller for which the first slot was acquired, or is being acquired. */
  readonly caller: string;
  /** How many attempts it may make, by the request that needs the most; undefined for the default of the client. */
  readonly maxAttempts: number | undefined;
}

/** Makes the call. It must release the slot that it acquires; otherwise the slot is released as unused at its end. */
export type SendStop = (call: SharedCall) => Promise<StopResult>;

/** A request that cannot join a call in flight may try again after this time: most calls have ended by then. */
const RETRY_AFTER_MS = 1000;

/**
 * Counts the requests that wait for an admitted call of others. A caller can have as many as there are places left, so
 * that no caller takes the last one.
 */
class Followers {
  readonly #byCaller = new Map<string, number>();
  #total = 0;

  constructor(private readonly limit: number) {}

  isFull(caller: string): boolean {
    return (this.#byCaller.get(caller) ?? 0) >= this.limit - this.#total;
  }

  add(caller: string): void {
    this.#change(caller, 1);
  }

  remove(caller: string): void {
    this.#change(caller, -1);
  }

  #change(caller: string, difference: number): void {
    const count = (this.#byCaller.get(caller) ?? 0) + difference;
    this.#total += difference;
    if (count === 0) this.#byCaller.delete(caller);
    else this.#byCaller.set(caller, count);
  }
}

/** A request that has joined a call, or needs none. */
export interface JoinedStop {
  /** The source of its result, if it needs no upstream call of its own. A follower that becomes the leader needs one. */
  readonly coalesced?: CoalescingSource | undefined;
  /** The call that it shares; undefined if the task is known to have ended. */
  readonly upstreamCall?: UpstreamCall;
  /** Whether this call is not admitted yet. */
  readonly waitsForSlot: boolean;
  /**
   * Rejects with the errors of {@link Quota.acquire} and the reason of the signal before admission, and with the error of
   * the call after it.
   */
  readonly result: Promise<StopResult>;
}

/**
 * A singleflight: there is at most one upstream call per task at any time, and requests for the same task share it. A
 * task that is known to have ended needs no call. Authorize a request before it joins.
 */
export class StopCoalescer implements OnApplicationShutdown {
  readonly #inFlight = new Map<string, InFlightStop>();
  readonly #followers: Followers;

  /**
   * @param clock milliseconds of a monotonic clock
   * @param maxFollowers how many requests may wait for admitted calls of others
   */
  constructor(
    private readonly quota: Quota,
    private readonly endedTasks: EndedTaskCache,
    private readonly metrics: CoalescingMetrics,
    private readonly clock: { now(): number },
    maxFollowers: number,
  ) {
    this.#followers = new Followers(maxFollowers);
  }

  /** @param send makes the call if there is no call to share */
  join(task: TaskRef, requester: StopRequester, send: SendStop): JoinedStop {
    const key = taskKey(task);
    const requestId = this.endedTasks.get(key);
    if (requestId !== undefined) {
      this.metrics.count('cache');
      const result = Promise.resolve({ status: 'already-finished', requestId } as const);
      return { coalesced: 'cache', waitsForSlot: false, result };
    }
    const inFlight = this.#inFlight.get(key);
    return inFlight ? inFlight.join(requester) : this.#begin(key, requester, send);
  }

  /** Whether the task is known to have ended, so that a request needs no call. */
  hasEnded(task: TaskRef): boolean {
    return this.endedTasks.get(taskKey(task)) !== undefined;
  }

  /** Whether no call for this task is in flight, and the task is not known to have ended. */
  hasNoKnownState(task: TaskRef): boolean {
    const key = taskKey(task);
    return !this.#inFlight.has(key) && this.endedTasks.get(key) === undefined;
  }

  onApplicationShutdown(): void {
    this.endedTasks.close();
  }

  #begin(key: string, requester: StopRequester, send: SendStop): JoinedStop {
    const { quota, clock, metrics } = this;
    const call: InFlightStop = new InFlightStop(
      quota,
      clock,
      this.#followers,
      metrics,
      requester.caller,
      () => {
        if (this.#inFlight.get(key) === call) this.#inFlight.delete(key);
      },
    );
    this.#inFlight.set(key, call);
    const joined = call.join(requester);
    void call.run(async () => {
      const stopped = await send(call);
      this.endedTasks.add(key, stopped.requestId);
      return stopped;
    });
    return joined;
  }
}

interface Participant {
  readonly requester: StopRequester;
  readonly deadline: number;
  /** Only for followers: the leader waits in the queue itself. */
  readonly reservation?: QueueReservation;
  readonly result: PromiseWithResolvers<StopResult>;
  hasLed: boolean;
}

class InFlightStop implements SharedCall {
  readonly upstreamCall = new UpstreamCall();
  // In order of arrival. Before admission, the first one is the leader and the others are followers.
  readonly #participants = new Set<Participant>();
  /** The request whose slot admitted the call. */
  #leader: Participant | undefined;
  #firstSlot: Promise<Slot> | undefined;

  /** @param onEnd called when requests can no longer join */
  constructor(
    private readonly quota: Quota,
    private readonly clock: { now(): number },
    private readonly followers: Followers,
    private readonly metrics: CoalescingMetrics,
    public caller: string,
    private readonly onEnd: () => void,
  ) {}

  join(requester: StopRequester): JoinedStop {
    const deadline = this.clock.now() + requester.waitMs;
    const result = Promise.withResolvers<StopResult>();
    const hasLed = this.#participants.size === 0;
    const isAdmitted = this.#leader !== undefined;
    const waits = !isAdmitted && !hasLed;
    const isRejected = isAdmitted && this.followers.isFull(requester.caller);
    if (isRejected) result.reject(new QuotaExhaustedError(RETRY_AFTER_MS));
    const reservation = waits ? this.quota.reserveQueueEntry(requester) : undefined;
    const participant = { requester, deadline, result, hasLed, ...(reservation && { reservation }) };
    if (!isRejected) this.#participants.add(participant);
    if (!isRejected && isAdmitted) this.followers.add(requester.caller);
    reservation?.rejected.catch((error: unknown) => {
      // A follower of an admitted call, if the call was admitted in the same turn of the event loop.
      if (this.#participants.delete(participant) && this.#leader) this.followers.remove(requester.caller);
      result.reject(error);
    });
    return {
      get coalesced() {
        return participant.hasLed || isRejected ? undefined : 'in_flight';
      },
      ...(!isRejected && { upstreamCall: this.upstreamCall }),
      waitsForSlot: !isAdmitted,
      result: result.promise,
    };
  }

  get maxAttempts(): number | undefined {
    const limits = Array.from(this.#participants, ({ requester }) => requester.maxAttempts ?? Infinity);
    const max = Math.max(...limits);
    return Number.isFinite(max) ? max : undefined;
  }

  acquireFirstSlot(): Promise<Slot> {
    this.#firstSlot ??= this.#acquire();
    return this.#firstSlot;
  }

  async run(send: () => Promise<StopResult>): Promise<void> {
    try {
      const stopped = await send();
      for (const { result } of this.#participants) result.resolve(stopped);
    } catch (error) {
      for (const { result } of this.#participants) result.reject(error);
    }
    for (const participant of this.#participants) {
      if (!participant.hasLed) this.metrics.count('in_flight');
      if (this.#leader && participant !== this.#leader) this.followers.remove(participant.requester.caller);
    }
    this.#releaseReservations();
    this.onEnd();
    await this.#firstSlot?.then(
      (slot) => slot.release('unused'),
      () => {},
    );
  }

  async #acquire(): Promise<Slot> {
    let lastError: unknown;
    // The iteration includes followers that join during it, and skips those that were removed.
    for (const leader of this.#participants) {
      const { requester, deadline, reservation, result } = leader;
      leader.hasLed = true;
      reservation?.release();
      try {
        const { caller } = requester;
        this.caller = caller;
        const waitMs = Math.max(0, deadline - this.clock.now());
        const slot =
          requester.slot ?? (await this.quota.acquire({ caller, waitMs, signal: () => requester.signal() }));
        this.#leader = leader;
        for (const follower of this.#participants)
          if (follower !== leader) this.followers.add(follower.requester.caller);
        this.#releaseReservations();
        return slot;
      } catch (error) {
        this.#participants.delete(leader);
        result.reject(error);
        lastError = error;
      }
    }
    this.onEnd();
    throw lastError;
  }

  #releaseReservations(): void {
    for (const { reservation } of this.#participants) reservation?.release();
  }
}

function taskKey({ sdkAppId, region, taskId }: TaskRef): string {
  return `${sdkAppId}/${region}/${taskId}`;
}
