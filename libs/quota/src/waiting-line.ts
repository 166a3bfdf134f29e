import type { Ask, Slot } from './slot-source.js';

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

interface Line {
  readonly calls: PendingCall[];
  /** How many of them came since the last ask. */
  fresh: number;
}

/** Who waits: a line for each caller, first come first served; the callers take turns. Reservations stand beside it. */
export class WaitingLine {
  // In order of turns: whoever was served goes to the end.
  readonly #lines = new Map<string, Line>();
  readonly #reservations = new Set<QueueEntry>();
  #queuedCalls = 0;

  /** Whether no call wants a slot. */
  get empty(): boolean {
    return this.#lines.size === 0;
  }

  /** How many entries count against the queue limit. */
  get length(): number {
    return this.#queuedCalls + this.#reservations.size;
  }

  get reservations(): ReadonlySet<QueueEntry> {
    return this.#reservations;
  }

  add(call: PendingCall): void {
    const line = this.#lines.get(call.caller) ?? { calls: [], fresh: 0 };
    this.#lines.set(call.caller, line);
    line.calls.push(call);
    line.fresh += 1;
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
    const call = this.of(entry.caller).find((one) => one === entry);
    if (!call) return false;
    this.#clear(call);
    return true;
  }

  /** Whose turn it is, but for these callers. */
  next(except: ReadonlySet<string>): string | undefined {
    for (const caller of this.#lines.keys()) if (!except.has(caller)) return caller;
    return undefined;
  }

  /** What to ask for on behalf of this caller. */
  ask(caller: string): Ask {
    const line = this.#lines.get(caller);
    const ask = { caller, fresh: line?.fresh ?? 0, wanted: line?.calls.length ?? 0 };
    if (line) line.fresh = 0;
    return ask;
  }

  /** Takes the first call of this caller out, and the caller's turn is over. */
  shift(caller: string): PendingCall | undefined {
    const line = this.#lines.get(caller);
    const call = line?.calls[0];
    if (!line || !call) return undefined;
    this.#clear(call);
    if (this.#lines.delete(caller)) this.#lines.set(caller, line);
    return call;
  }

  of(caller: string): readonly PendingCall[] {
    return this.#lines.get(caller)?.calls ?? [];
  }

  *[Symbol.iterator](): Generator<PendingCall> {
    for (const { calls } of this.#lines.values()) yield* calls;
  }

  /** How many slots at least are lent before this one, which stands behind so many of its caller's own. */
  turnOf(caller: string, behind: number): number {
    let turn = behind;
    for (const [other, { calls }] of this.#lines)
      if (other !== caller) turn += Math.min(calls.length, behind);
    return turn;
  }

  /** The entries of the caller with the most of them that count against the queue limit, in order of arrival. */
  longest(): readonly QueueEntry[] {
    let longest: readonly QueueEntry[] = [];
    for (const entries of Map.groupBy(this.#queued(), ({ caller }) => caller).values())
      if (entries.length > longest.length) longest = entries;
    return longest.toSorted((a, b) => a.requestedAt - b.requestedAt);
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

  #clear(call: PendingCall): void {
    if (call.queued) this.#queuedCalls -= 1;
    const { calls } = this.#lines.get(call.caller)!;
    calls.splice(calls.indexOf(call), 1);
    if (calls.length === 0) this.#lines.delete(call.caller);
  }
}
