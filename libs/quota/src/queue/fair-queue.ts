import type { AcquireRequest, Slot } from '../slot-pool.js';

/** Counts against the queue limit: a call that waits for a slot, or a reservation, which is never served. */
export interface QueueEntry {
  readonly caller: string;
  readonly requestedAt: number;
  /** When its wait is over; whatever it is, not before the hold after start. */
  readonly deadline: number;
  reject(error: Error): void;
}

/** A call that wants a slot. */
export interface PendingCall extends QueueEntry {
  /** Whether it was refused a slot once and waits for the next one. */
  queued: boolean;
  /** Whether its wait may be long enough. */
  canBeServed: boolean;
  grant(slot: Slot): void;
}

interface CallerQueue {
  readonly calls: PendingCall[];
  /** How many of them came since the last ask. */
  newCalls: number;
}

/** Who waits: a line for each caller, first come first served; the callers take turns. Reservations stand beside it. */
export class FairQueue {
  // In order of turns: whoever was served goes to the end.
  readonly #callerQueues = new Map<string, CallerQueue>();
  readonly #reservations = new Set<QueueEntry>();
  #queuedCalls = 0;

  /** Whether no call wants a slot. */
  get isEmpty(): boolean {
    return this.#callerQueues.size === 0;
  }

  /** How many entries count against the queue limit. */
  get length(): number {
    return this.#queuedCalls + this.#reservations.size;
  }

  get reservations(): ReadonlySet<QueueEntry> {
    return this.#reservations;
  }

  add(call: PendingCall): void {
    const callerQueue = this.#callerQueues.get(call.caller) ?? { calls: [], newCalls: 0 };
    this.#callerQueues.set(call.caller, callerQueue);
    callerQueue.calls.push(call);
    callerQueue.newCalls += 1;
  }

  /** The call waits from now on. */
  enqueue(call: PendingCall): void {
    call.queued = true;
    this.#queuedCalls += 1;
  }

  reserve(entry: QueueEntry): void {
    this.#reservations.add(entry);
  }

  /** @returns whether it was there */
  remove(entry: QueueEntry): boolean {
    if (this.#reservations.delete(entry)) return true;
    const call = this.entriesOf(entry.caller).find((one) => one === entry);
    if (!call) return false;
    this.#removeEntry(call);
    return true;
  }

  /** Whose turn it is, but for these callers. */
  nextCaller(except: ReadonlySet<string>): string | undefined {
    for (const caller of this.#callerQueues.keys()) if (!except.has(caller)) return caller;
    return undefined;
  }

  /** What to ask for on behalf of this caller. */
  takeRequest(caller: string): AcquireRequest {
    const callerQueue = this.#callerQueues.get(caller);
    const request = {
      caller,
      newCalls: callerQueue?.newCalls ?? 0,
      pendingCalls: callerQueue?.calls.length ?? 0,
    };
    if (callerQueue) callerQueue.newCalls = 0;
    return request;
  }

  /** Takes the first call of this caller out, and the caller's turn is over. */
  dequeue(caller: string): PendingCall | undefined {
    const callerQueue = this.#callerQueues.get(caller);
    const call = callerQueue?.calls[0];
    if (!callerQueue || !call) return undefined;
    this.#removeEntry(call);
    if (this.#callerQueues.delete(caller)) this.#callerQueues.set(caller, callerQueue);
    return call;
  }

  entriesOf(caller: string): readonly PendingCall[] {
    return this.#callerQueues.get(caller)?.calls ?? [];
  }

  *[Symbol.iterator](): Generator<PendingCall> {
    for (const { calls } of this.#callerQueues.values()) yield* calls;
  }

  /** How many slots at least are lent before this one, which stands behind so many of its caller's own. */
  positionOf(caller: string, callsAhead: number): number {
    let position = callsAhead;
    for (const [other, { calls }] of this.#callerQueues)
      if (other !== caller) position += Math.min(calls.length, callsAhead);
    return position;
  }

  /** The entries of the caller with the most of them that count against the queue limit, in order of arrival. */
  longestQueue(): readonly QueueEntry[] {
    let longestQueue: readonly QueueEntry[] = [];
    for (const entries of Map.groupBy(this.#queued(), ({ caller }) => caller).values())
      if (entries.length > longestQueue.length) longestQueue = entries;
    return longestQueue.toSorted((a, b) => a.requestedAt - b.requestedAt);
  }

  /** How many entries of this caller count against the queue limit. */
  lengthOf(caller: string): number {
    let length = 0;
    for (const entry of this.#queued()) if (entry.caller === caller) length += 1;
    return length;
  }

  *#queued(): Generator<QueueEntry> {
    for (const call of this) if (call.queued) yield call;
    yield* this.#reservations;
  }

  #removeEntry(call: PendingCall): void {
    if (call.queued) this.#queuedCalls -= 1;
    const { calls } = this.#callerQueues.get(call.caller)!;
    calls.splice(calls.indexOf(call), 1);
    if (calls.length === 0) this.#callerQueues.delete(call.caller);
  }
}
