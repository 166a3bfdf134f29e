import type { Clock } from './clock.js';
import type { Refusal, Slot, SlotSource, SourceListener } from './slot-source.js';
import { Slots } from './slots.js';
import { HOLD_MS } from './timing.js';
import { Turns, type Waiter } from './turns.js';

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

export interface TakeOptions {
  /** Who asks: callers share the slots fairly. Default: everybody is one caller. */
  caller?: string;
  /** How long this call may wait for a slot, in milliseconds; default 0: now or never. */
  waitMs?: number;
  /**
   * Calls of one caller that bring the same object want one slot together: they count as one, and all get the same
   * slot. Each still waits as long as it may.
   */
  sharing?: object;
  /**
   * Ends the wait; the promise rejects with the signal's reason and no slot is taken. Asked for only when the call has
   * to wait, because making one can cost more than a slot.
   */
  signal?: () => AbortSignal;
}

/** How the quota stands at this moment. */
export interface QuotaState {
  /** Slots there are now. */
  capacity: number;
  free: number;
  waiting: number;
  /** Milliseconds before which no slot more than the free ones can free; 0 when all are free. */
  nextFreeInMs: number;
}

/** As QuotaExhausted or ShareExhausted would say it. */
export interface RefusedNow {
  readonly why: 'quota' | 'share';
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
   * Takes one slot, waiting for it as long as allowed. In the first moments of the process's life every call
   * waits for the hold after start, whatever it allows.
   *
   * @throws QuotaExhausted when the wait cannot be met, at once rather than at its end, or too many calls wait
   * @throws ShareExhausted when it cannot be met because the caller uses its fair share
   * @throws QuotaUnavailable when the slots' store is out of reach and this process has none of its own to lend
   * @throws QuotaClosed when the quota is closed first
   * @throws the signal's reason when it has to wait, and the signal is aborted first
   */
  async take({ caller = EVERYBODY, waitMs = 0, sharing, signal }: TakeOptions = {}): Promise<Slot> {
    const { promise, resolve: grant, reject: refuse } = Promise.withResolvers<Slot>();
    const asked = this.#clock.now();
    const waiter: Waiter = { asked, until: asked + waitMs, hopeful: false, grant, refuse };
    const place = this.#turns.line.add(caller, waiter, sharing);
    void this.#turns.serve();
    if (!signal || !place.waiters.includes(waiter)) return await promise;
    const ending = signal();
    const leave = (): void => {
      if (this.#turns.line.remove(place, waiter)) refuse(ending.reason as Error);
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
   * Refuses a call that may not wait where {@link take} would, in the same way, but without a promise and an error
   * built for it, and without asking again for those who wait: a flood is refused at a fraction of the cost.
   *
   * @returns undefined, and nothing has happened, where only `take` can tell
   */
  refuseNow(caller: string = EVERYBODY): RefusedNow | undefined {
    const now = this.#clock.now();
    if (this.#turns.servingAt(now) || now < this.#slots.openAt) return undefined;
    const waiting = this.#turns.line.of(caller).length;
    const why = this.#slots.refusal?.({ caller, fresh: 1, wanted: waiting + 1 }, now);
    if (why !== 'quota' && why !== 'share') return undefined;
    this.#observer?.refused(why);
    const earliest = this.#slots.earliest(this.#turns.line.turnOf(caller, waiting), now);
    return { why, retryAfterMs: earliest - now };
  }

  /** The far end refused a call as one too many: fewer slots are lent for a while, and then step by step more. */
  refusedByFarEnd(): void {
    this.#slots.lower();
  }

  state(): QuotaState {
    const now = this.#clock.now();
    const free = this.#slots.free(now);
    const capacity = this.#slots.capacity(now);
    const nextFreeInMs = free >= capacity ? 0 : this.#slots.earliest(free, now) - now;
    return { capacity, free, waiting: this.#turns.line.seated, nextFreeInMs };
  }

  /** Refuses whoever waits, with {@link QuotaClosed}, and ends what runs by itself. */
  async close(): Promise<void> {
    this.#turns.close();
    await this.#slots.close();
  }
}
