import type { OnApplicationShutdown } from '@nestjs/common';
import type { Quota, QueueReservation, Slot } from '#libs/quota';
import type { StopResult } from '#libs/tencent-cloud';
import type { CoalescingMetrics, CoalescingSource } from './coalescing-metrics.js';
import type { EndedTaskCache } from './ended-task-cache.js';
import { UpstreamCall } from './upstream-call.js';

/** All that identifies a task of the cloud. */
export interface TaskRef {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
}

/** A request to stop a task. */
export interface StopRequester {
  /** The caller that acquires the slot when this request leads. */
  readonly caller: string;
  /** How long it may wait for the slot, in milliseconds. */
  readonly waitMs: number;
  /** Ends its wait; it then fails with the signal's reason. Has no effect once the call is admitted. */
  signal(): AbortSignal;
}

/** The one call to the cloud that requests for the same task share. */
export interface SharedCall {
  readonly upstreamCall: UpstreamCall;
  /**
   * Acquires the slot of the first attempt, for one request after the other until one gets it: that admits the call.
   *
   * @throws the error of the last request when none gets it: nothing must be sent
   */
  acquireFirstSlot(): Promise<Slot>;
  /** The caller that acquired the first slot; before, the one that tries to. */
  readonly caller: string;
}

/** Makes the call. It must release the slot that it acquires; one that it leaves is released as unused. */
export type SendStop = (call: SharedCall) => Promise<StopResult>;

/** What is known of a request as soon as it has joined. */
export interface JoinedStop {
  /** How it gets its result without a call to the cloud of its own. */
  readonly coalesced?: CoalescingSource;
  /** The call that it shares; undefined when the task is known to have ended. */
  readonly upstreamCall?: UpstreamCall;
  /** Whether that call still has to be admitted. */
  readonly waitsForSlot: boolean;
  /**
   * Rejects with the errors of {@link Quota.acquire} and of the signal while the call is not admitted, and with those of
   * the call.
   */
  readonly result: Promise<StopResult>;
}

/**
 * A singleflight: at any time there is at most one call to the cloud per task, and requests for the same task share it.
 * A task that is known to have ended needs none. Whether a request may stop the task must be checked before.
 */
export class StopCoalescer implements OnApplicationShutdown {
  readonly #inFlight = new Map<string, InFlightStop>();

  /** @param clock milliseconds of a clock that never goes back */
  constructor(
    private readonly quota: Quota,
    private readonly endedTasks: EndedTaskCache,
    private readonly metrics: CoalescingMetrics,
    private readonly clock: { now(): number },
  ) {}

  /** @param send makes the call if there is none to share */
  join(task: TaskRef, requester: StopRequester, send: SendStop): JoinedStop {
    const key = taskKey(task);
    const requestId = this.endedTasks.get(key);
    if (requestId !== undefined) {
      this.metrics.count('cache');
      const result = Promise.resolve({ status: 'already-finished', requestId } as const);
      return { coalesced: 'cache', waitsForSlot: false, result };
    }
    const inFlight = this.#inFlight.get(key);
    if (!inFlight) return this.#begin(key, requester, send);
    this.metrics.count('in_flight');
    const { upstreamCall, isAdmitted } = inFlight;
    const result = inFlight.join(requester);
    return { coalesced: 'in_flight', upstreamCall, waitsForSlot: !isAdmitted, result };
  }

  /** Whether a request for this task needs a call of its own: none is in flight, and the task is not known to have ended. */
  hasNoKnownState(task: TaskRef): boolean {
    const key = taskKey(task);
    return !this.#inFlight.has(key) && this.endedTasks.get(key) === undefined;
  }

  onApplicationShutdown(): void {
    this.endedTasks.close();
  }

  #begin(key: string, requester: StopRequester, send: SendStop): JoinedStop {
    const call: InFlightStop = new InFlightStop(this.quota, this.clock, requester.caller, () => {
      if (this.#inFlight.get(key) === call) this.#inFlight.delete(key);
    });
    this.#inFlight.set(key, call);
    const result = call.join(requester);
    void call.run(async () => {
      const stopped = await send(call);
      this.endedTasks.add(key, stopped.requestId);
      return stopped;
    });
    return { upstreamCall: call.upstreamCall, waitsForSlot: true, result };
  }
}

interface Participant {
  readonly requester: StopRequester;
  readonly deadline: number;
  /** Of a follower; the leader waits in the queue itself. */
  readonly reservation?: QueueReservation;
  readonly result: PromiseWithResolvers<StopResult>;
}

class InFlightStop implements SharedCall {
  readonly upstreamCall = new UpstreamCall();
  // In order of arrival. Until the call is admitted the first one leads, and the others follow.
  readonly #participants = new Set<Participant>();
  #caller: string;
  #isAdmitted = false;
  #firstSlot: Promise<Slot> | undefined;

  /** @param onEnd called when no request can join any more */
  constructor(
    private readonly quota: Quota,
    private readonly clock: { now(): number },
    caller: string,
    private readonly onEnd: () => void,
  ) {
    this.#caller = caller;
  }

  get caller(): string {
    return this.#caller;
  }

  get isAdmitted(): boolean {
    return this.#isAdmitted;
  }

  join(requester: StopRequester): Promise<StopResult> {
    const deadline = this.clock.now() + requester.waitMs;
    const result = Promise.withResolvers<StopResult>();
    const waits = !this.#isAdmitted && this.#participants.size > 0;
    const reservation = waits ? this.quota.reserveQueueEntry(requester) : undefined;
    const participant = { requester, deadline, result, ...(reservation && { reservation }) };
    this.#participants.add(participant);
    reservation?.rejected.catch((error: unknown) => {
      this.#participants.delete(participant);
      result.reject(error);
    });
    return result.promise;
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
    this.#releaseReservations();
    this.onEnd();
    await this.#firstSlot?.then(
      (slot) => slot.release('unused'),
      () => {},
    );
  }

  async #acquire(): Promise<Slot> {
    let lastError: unknown;
    // A follower that joins meanwhile is visited, one that has left is not.
    for (const leader of this.#participants) {
      const { requester, deadline, reservation, result } = leader;
      reservation?.release();
      try {
        const { caller } = requester;
        this.#caller = caller;
        const waitMs = Math.max(0, deadline - this.clock.now());
        const slot = await this.quota.acquire({ caller, waitMs, signal: () => requester.signal() });
        this.#isAdmitted = true;
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
