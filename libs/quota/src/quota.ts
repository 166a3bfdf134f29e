import type { Clock } from './clock.js';
import type { Refusal, Slot, SlotSource, SourceListener } from './slot-source.js';
import { Slots } from './slots.js';
import { HOLD_MS } from './timing.js';
import { Turns } from './turns.js';
import type { QueueEntry } from './waiting-line.js';

export interface QuotaOptions {
  /** Upstream calls that may arrive in any one second. */
  perSecond: number;
  clock: Clock;
  /** How many calls may wait at once; default 200. */
  queueLimit?: number;
  observer?: QuotaObserver;
  /** Where the slots come from; default: this process alone. */
  source?: (listener: SourceListener) => SlotSource;
}

/** Is told what the quota decides, for metrics. */
export interface QuotaObserver {
  /** @param waitedMs 0 for a call that found a slot at once */
  granted(waitedMs: number): void;
  refused(why: Refusal | 'queue'): void;
  /** Somebody else uses the quota: only so many slots are left for now. */
  lowered(slots: number): void;
}

export interface AcquireOptions {
  /** Who asks: callers share the slots fairly. Default: everybody is one caller. */
  caller?: string;
  /** How long this call may wait for a slot, in milliseconds; default 0: now or never. */
  waitMs?: number;
  /**
   * Ends the wait; the promise rejects with the signal's reason and no slot is acquired. Asked for only when the call
   * has to wait, because making one can cost more than a slot.
   */
  signal?: () => AbortSignal;
}

/** An entry of the queue that is never served. */
export interface QueueReservation {
  /**
   * Rejects with the error with which {@link Quota.acquire} would reject: QuotaExhausted, QuotaClosed or the reason of
   * the signal. Never settles after a release. It may be left unhandled.
   */
  readonly rejected: Promise<never>;
  /** Takes the entry out of the queue. */
  release(): void;
}

/** How the quota stands at this moment. */
export interface QuotaState {
  /** Slots there are now. */
  capacity: number;
  free: number;
  /** Slots that are leased. Before the first slot may be lent, none is free and none is leased. */
  inUse: number;
  /** Entries of the queue: calls that wait for a slot, and reservations. */
  waiting: number;
  /** Milliseconds before which no slot more than the free ones can free; 0 when all are free. */
  nextFreeInMs: number;
}

/** As QuotaExhausted or ShareExhausted would say it. */
export interface Rejection {
  readonly reason: 'quota' | 'share';
  /** Milliseconds before which no slot can free for one more call. */
  readonly retryAfterMs: number;
}

const QUEUE_LIMIT = 200;
const EVERYBODY = 'everybody';

/** Lends slots to calls, fairly among callers, and lets calls wait for one. */
export class Quota {
  readonly #clock: Clock;
  readonly #slots: SlotSource;
  readonly #observer: QuotaObserver | undefined;
  readonly #turns: Turns;

  constructor({ perSecond, clock, queueLimit = QUEUE_LIMIT, observer, source }: QuotaOptions) {
    this.#clock = clock;
    this.#observer = observer;
    const listener: SourceListener = {
      changed: () => void this.#turns.serve(),
      lowered: (slots) => observer?.lowered(slots),
    };
    const alone = { capacity: perSecond, clock, openAt: clock.now() + HOLD_MS, listener };
    this.#slots = source ? source(listener) : new Slots(alone);
    this.#turns = new Turns(this.#slots, { clock, queueLimit, observer });
  }

  /**
   * Acquires one slot, waiting for it as long as allowed. In the first moments of the process's life every call
   * waits for the hold after start, whatever it allows.
   *
   * @throws QuotaExhausted when the wait cannot be met, at once rather than at its end, or too many calls wait
   * @throws ShareExhausted when it cannot be met because the caller uses its fair share
   * @throws QuotaUnavailable when the slots' store is out of reach and this process has none of its own to lend
   * @throws QuotaClosed when the quota is closed
   * @throws the signal's reason when it has to wait, and the signal is aborted first
   */
  async acquire({ caller = EVERYBODY, waitMs = 0, signal }: AcquireOptions = {}): Promise<Slot> {
    const { promise, resolve: grant, reject } = Promise.withResolvers<Slot>();
    const requestedAt = this.#clock.now();
    const deadline = requestedAt + waitMs;
    const call = { caller, requestedAt, deadline, queued: false, canBeServed: false, grant, reject };
    this.#turns.add(call);
    if (!signal || !this.#turns.line.of(caller).includes(call)) return await promise;
    const ending = signal();
    const leave = (): void => {
      if (this.#turns.line.remove(call)) reject(ending.reason as Error);
      void this.#turns.serve();
    };
    ending.addEventListener('abort', leave);
    if (ending.aborted) leave();
    try {
      return await promise;
    } finally {
      ending.removeEventListener('abort', leave);
    }
  }

  /**
   * Counts a call as waiting that waits for the slot of another one: it takes up an entry of the queue, and is rejected
   * like a call that waits for a slot of its own, when the queue is full, when its wait is over, or on close. It is
   * never granted a slot, and does not count as demand. Its wait ends at the earliest in the next macrotask, and not
   * while slots are being granted: then the call that it depends on may be granted its slot in time.
   */
  reserveQueueEntry({ caller = EVERYBODY, waitMs = 0, signal }: AcquireOptions = {}): QueueReservation {
    const { promise: rejected, reject } = Promise.withResolvers<never>();
    rejected.catch(() => {});
    const requestedAt = this.#clock.now();
    const left = new AbortController();
    const entry: QueueEntry = {
      caller,
      requestedAt,
      deadline: requestedAt + waitMs,
      reject: (error) => {
        left.abort();
        reject(error);
      },
    };
    this.#turns.reserve(entry);
    const release = (): boolean => {
      left.abort();
      return this.#turns.cancelReservation(entry);
    };
    if (signal && !left.signal.aborted) {
      const ending = signal();
      const leave = (): void => {
        if (release()) reject(ending.reason as Error);
      };
      ending.addEventListener('abort', leave, { signal: left.signal });
      if (ending.aborted) leave();
    }
    return { rejected, release };
  }

  /**
   * Rejects a call that may not wait where {@link acquire} would, in the same way, but without a promise and an error
   * built for it, and without asking again for those who wait: a flood is rejected at a fraction of the cost.
   *
   * @returns undefined, and nothing has happened, where only `acquire` can tell
   */
  rejectIfExhausted(caller: string = EVERYBODY): Rejection | undefined {
    const now = this.#clock.now();
    if (this.#turns.servingAt(now) || now < this.#slots.openAt) return undefined;
    const waiting = this.#turns.line.of(caller).length;
    const reason = this.#slots.rejection({ caller, fresh: 1, wanted: waiting + 1 }, now);
    if (reason === undefined) return undefined;
    this.#observer?.refused(reason);
    const earliest = this.#slots.earliest(this.#turns.line.turnOf(caller, waiting), now);
    return { reason, retryAfterMs: earliest - now };
  }

  state(): QuotaState {
    const now = this.#clock.now();
    const free = this.#slots.free(now);
    const capacity = this.#slots.capacity(now);
    const nextFreeInMs = free >= capacity ? 0 : this.#slots.earliest(free, now) - now;
    const inUse = this.#slots.inUse(now);
    return { capacity, free, inUse, waiting: this.#turns.line.length, nextFreeInMs };
  }

  /** Refuses whoever waits, with {@link QuotaClosed}, and ends what runs by itself. */
  async close(): Promise<void> {
    this.#turns.close();
    await this.#slots.close();
  }
}
