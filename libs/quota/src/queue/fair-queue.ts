import type { AcquireRequest, Slot } from '../slot-pool.js';

/** An entry of the queue: a call that waits for a slot, or a reservation. */
export interface QueueEntry {
  readonly caller: string;
  readonly requestedAt: number;
  /** When the wait ends. During the startup delay, the wait ends when the delay ends, if that is later. */
  readonly deadline: number;
  /** Whether it comes after the other calls of its caller, and its rejection is not reported. */
  readonly isBackground?: boolean;
  reject(error: Error): void;
}

/** A call that needs a slot. */
export interface PendingCall extends QueueEntry {
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
 * The calls that need a slot: first come first served within one caller, round-robin across callers. Background calls
 * come after the others of their caller. A new call counts against the queue limit only after {@link enqueue}.
 * Reservations are enqueued too, but are never served.
 */
export class FairQueue {
  // In round-robin order: a caller that is served moves to the end.
  readonly #callerQueues = new Map<string, CallerQueue>();
  readonly #queued = new Set<QueueEntry>();

  /** Whether any call needs a slot, queued or not. */
  get hasPendingCalls(): boolean {
    return this.#callerQueues.size > 0;
  }

  /** The entries that count against the queue limit. */
  get queued(): ReadonlySet<QueueEntry> {
    return this.#queued;
  }

  get reservations(): QueueEntry[] {
    return [...this.#queued].filter((entry) => !('grant' in entry));
  }

  has(entry: QueueEntry): boolean {
    return this.#queued.has(entry) || this.indexOf(entry) !== -1;
  }

  /** Adds a new call. */
  add(call: PendingCall): void {
    const callerQueue = this.#callerQueues.get(call.caller) ?? { calls: [], newCalls: 0 };
    this.#callerQueues.set(call.caller, callerQueue);
    const { calls } = callerQueue;
    const firstInBackground = call.isBackground ? -1 : calls.findIndex(({ isBackground }) => isBackground);
    calls.splice(firstInBackground === -1 ? calls.length : firstInBackground, 0, call);
    callerQueue.newCalls += 1;
  }

  /** Counts a pending call or a reservation against the queue limit. */
  enqueue(entry: QueueEntry): void {
    this.#queued.add(entry);
  }

  /** Removes a call or a reservation. Returns whether it was present. */
  remove(entry: QueueEntry): boolean {
    const wasQueued = this.#queued.delete(entry);
    const index = this.indexOf(entry);
    if (index === -1) return wasQueued;
    const { calls } = this.#callerQueues.get(entry.caller)!;
    calls.splice(index, 1);
    if (calls.length === 0) this.#callerQueues.delete(entry.caller);
    return true;
  }

  /**
   * Returns the next request to the pool: that of the first caller in round-robin order that is not in `except`. Each
   * new call is reported in one request only.
   */
  nextRequest(except: ReadonlySet<string>): AcquireRequest | undefined {
    for (const [caller, callerQueue] of this.#callerQueues) {
      if (except.has(caller)) continue;
      const { newCalls, calls } = callerQueue;
      callerQueue.newCalls = 0;
      const isBackground = calls[0]?.isBackground ?? false;
      return { caller, newCalls, pendingCalls: calls.length, isBackground };
    }
    return undefined;
  }

  /** Removes the first call of a caller and moves the caller to the end of the round-robin order. */
  dequeue(caller: string): PendingCall | undefined {
    const callerQueue = this.#callerQueues.get(caller);
    const call = callerQueue?.calls[0];
    if (!callerQueue || !call) return undefined;
    this.remove(call);
    if (this.#callerQueues.delete(caller)) this.#callerQueues.set(caller, callerQueue);
    return call;
  }

  callsOf(caller: string): readonly PendingCall[] {
    return this.#callerQueues.get(caller)?.calls ?? [];
  }

  /** Returns the position of a call among the calls of its caller; -1 for a reservation or an absent call. */
  indexOf(entry: QueueEntry): number {
    return this.callsOf(entry.caller).findIndex((call) => call === entry);
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

  /** Returns the last queued entry of the caller that has the most; of `caller`, if no other one has more. */
  lastOfLongest(caller: string): QueueEntry {
    const entriesByCaller = Map.groupBy(this.#queued, (entry) => entry.caller);
    let longest = entriesByCaller.get(caller) ?? [];
    for (const entries of entriesByCaller.values()) if (entries.length > longest.length) longest = entries;
    return longest.toSorted((a, b) => a.requestedAt - b.requestedAt).at(-1)!;
  }
}
