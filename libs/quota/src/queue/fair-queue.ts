import type { AcquireRequest, Slot } from '../slot-pool.js';

/** An entry that counts against the queue limit: a call that waits for a slot, or a reservation. */
export interface QueueEntry {
  readonly caller: string;
  readonly requestedAt: number;
  /** When the wait ends. During the startup delay, the wait ends when the delay ends, if that is later. */
  readonly deadline: number;
  reject(error: Error): void;
}

/** A call that needs a slot. */
export interface PendingCall extends QueueEntry {
  /** Whether the call waits in the queue. A new call does not, until the pool has rejected a request for it. */
  queued: boolean;
  /** Whether a slot can be free before the deadline. Once true, it stays true until the deadline. */
  canBeServed: boolean;
  grant(slot: Slot): void;
}

interface CallerQueue {
  readonly calls: PendingCall[];
  /** How many calls arrived since the previous request to the pool. */
  newCalls: number;
}

/**
 * The calls that need a slot: first come first served within one caller, round-robin across callers. Reservations
 * count against the queue limit, but are never served.
 */
export class FairQueue {
  // In round-robin order: a caller that is served moves to the end.
  readonly #callerQueues = new Map<string, CallerQueue>();
  readonly #reservations = new Set<QueueEntry>();
  #queuedCalls = 0;

  /** Whether any call needs a slot, queued or not. */
  get hasPendingCalls(): boolean {
    return this.#callerQueues.size > 0;
  }

  /** How many entries count against the queue limit. */
  get length(): number {
    return this.#queuedCalls + this.#reservations.size;
  }

  get reservations(): ReadonlySet<QueueEntry> {
    return this.#reservations;
  }

  /** Adds a new call. It counts against the queue limit only after {@link enqueue}. */
  add(call: PendingCall): void {
    const callerQueue = this.#callerQueues.get(call.caller) ?? { calls: [], newCalls: 0 };
    this.#callerQueues.set(call.caller, callerQueue);
    callerQueue.calls.push(call);
    callerQueue.newCalls += 1;
  }

  enqueue(call: PendingCall): void {
    call.queued = true;
    this.#queuedCalls += 1;
  }

  reserve(entry: QueueEntry): void {
    this.#reservations.add(entry);
  }

  /** Removes a call or a reservation. Returns whether it was present. */
  remove(entry: QueueEntry): boolean {
    if (this.#reservations.delete(entry)) return true;
    const call = this.callsOf(entry.caller).find((one) => one === entry);
    if (!call) return false;
    this.#removeCall(call);
    return true;
  }

  /** Returns the next caller in round-robin order that is not in `except`. */
  nextCaller(except: ReadonlySet<string>): string | undefined {
    for (const caller of this.#callerQueues.keys()) if (!except.has(caller)) return caller;
    return undefined;
  }

  /** Creates the next request of a caller to the pool. Each new call is reported in one request only. */
  createRequest(caller: string): AcquireRequest {
    const callerQueue = this.#callerQueues.get(caller);
    const request = {
      caller,
      newCalls: callerQueue?.newCalls ?? 0,
      pendingCalls: callerQueue?.calls.length ?? 0,
    };
    if (callerQueue) callerQueue.newCalls = 0;
    return request;
  }

  /** Removes the first call of a caller and moves the caller to the end of the round-robin order. */
  dequeue(caller: string): PendingCall | undefined {
    const callerQueue = this.#callerQueues.get(caller);
    const call = callerQueue?.calls[0];
    if (!callerQueue || !call) return undefined;
    this.#removeCall(call);
    if (this.#callerQueues.delete(caller)) this.#callerQueues.set(caller, callerQueue);
    return call;
  }

  callsOf(caller: string): readonly PendingCall[] {
    return this.#callerQueues.get(caller)?.calls ?? [];
  }

  *[Symbol.iterator](): Generator<PendingCall> {
    for (const { calls } of this.#callerQueues.values()) yield* calls;
  }

  /** Returns how many calls at least are served before a call that has `callsAhead` calls of its own caller ahead. */
  positionOf(caller: string, callsAhead: number): number {
    let position = callsAhead;
    for (const [other, { calls }] of this.#callerQueues)
      if (other !== caller) position += Math.min(calls.length, callsAhead);
    return position;
  }

  /** Returns the counted entries of the caller that has the most, in order of arrival. */
  longestQueue(): readonly QueueEntry[] {
    let longestQueue: readonly QueueEntry[] = [];
    for (const entries of Map.groupBy(this.#countedEntries(), ({ caller }) => caller).values())
      if (entries.length > longestQueue.length) longestQueue = entries;
    return longestQueue.toSorted((a, b) => a.requestedAt - b.requestedAt);
  }

  /** Returns how many entries of a caller count against the queue limit. */
  lengthOf(caller: string): number {
    let length = 0;
    for (const entry of this.#countedEntries()) if (entry.caller === caller) length += 1;
    return length;
  }

  *#countedEntries(): Generator<QueueEntry> {
    for (const call of this) if (call.queued) yield call;
    yield* this.#reservations;
  }

  #removeCall(call: PendingCall): void {
    if (call.queued) this.#queuedCalls -= 1;
    const { calls } = this.#callerQueues.get(call.caller)!;
    calls.splice(calls.indexOf(call), 1);
    if (calls.length === 0) this.#callerQueues.delete(call.caller);
  }
}
