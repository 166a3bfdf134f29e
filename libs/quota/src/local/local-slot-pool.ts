import { AdaptiveLimit } from './adaptive-limit.js';
import type { Clock } from '../clock.js';
import { earliestGrantAt } from './earliest-grant.js';
import { checkFairShare } from '../fairness/fair-share.js';
import { Leases } from './leases.js';
import { leaseSlot } from './lease-slot.js';
import type {
  AcquireRequest,
  ReleaseReason,
  SlotPool,
  SlotPoolListener,
  AcquireResult,
} from '../slot-pool.js';
import { DemandTracker } from '../fairness/demand-tracker.js';

export interface LocalSlotPoolOptions {
  capacity: number;
  clock: Clock;
  /** When the first slot may be lent. */
  availableFrom: number;
  listener: SlotPoolListener;
  /** What is taken already, where this lends others; default nothing. */
  leases?: Leases;
  /** What its ids among the leases begin with. */
  idPrefix?: string;
  /** Called when a slot is released. Default: reduces the capacity if it was throttled, and tells the listener. */
  onRelease?: (id: string, holdMs: number, reason: ReleaseReason) => void;
}

/**
 * The rule, without waiting: so many slots, each free again one second after the answer to its call.
 * Then no more calls than slots arrive at the far end in any one second, whatever the network does.
 */
export class LocalSlotPool implements SlotPool {
  readonly availableFrom: number;
  readonly #maxSlots: number;
  readonly #clock: Clock;
  readonly #listener: SlotPoolListener;
  readonly #leases: Leases;
  readonly #limit: AdaptiveLimit;
  readonly #idPrefix: string;
  readonly #onRelease: (id: string, holdMs: number, reason: ReleaseReason) => void;
  readonly #demandTracker = new DemandTracker();
  #grantCount = 0;

  constructor(options: LocalSlotPoolOptions) {
    const { capacity, clock, availableFrom, listener, leases = new Leases(), idPrefix = '' } = options;
    this.availableFrom = availableFrom;
    this.#idPrefix = idPrefix;
    this.#onRelease =
      options.onRelease ??
      ((_id, _heldForMs, reason) => {
        if (reason === 'throttled') this.lower();
        listener.changed();
      });
    this.#maxSlots = capacity;
    this.#clock = clock;
    this.#listener = listener;
    this.#leases = leases;
    this.#limit = new AdaptiveLimit(capacity);
  }

  acquire(request: AcquireRequest, now: number): AcquireResult {
    const { caller } = request;
    const decision = this.#decide(request, now);
    if (decision !== 'granted') return { rejected: decision };
    this.#demandTracker.recordGrant(caller, now);
    this.#grantCount += 1;
    const id = `${this.#idPrefix}${this.#grantCount}`;
    return { slot: leaseSlot(this.#leases, this.#clock, { id, caller }, this.#onRelease) };
  }

  rejection(request: AcquireRequest, now: number): 'quota' | 'share' | undefined {
    const previous = this.#demandTracker.get(request.caller);
    const decision = this.#decide(request, now);
    if (decision !== 'granted') return decision;
    this.#demandTracker.restore(request.caller, previous);
    return undefined;
  }

  /** The cloud rejected a call that the rule allows: fewer slots are lent for a while, and then step by step more. */
  lower(): void {
    const now = this.#clock.now();
    if (this.#limit.reduce(now)) this.#listener.reduced(this.capacity(now));
  }

  capacity(now: number): number {
    return this.#limit.current(now);
  }

  free(now: number): number {
    return now < this.availableFrom ? 0 : Math.max(0, this.capacity(now) - this.#leases.active(now).size);
  }

  inUse(now: number): number {
    return this.#leases.active(now).size;
  }

  earliestGrantAt(position: number, now: number): number {
    const allInUse =
      this.#leases.active(now).size === this.#maxSlots && this.capacity(now) === this.#maxSlots;
    if (position === 0 && allInUse && now >= this.availableFrom) return this.#leases.earliestExpiry(now);
    const expiryTimes = this.#leases.expiryTimes(this.#maxSlots, Math.max(now, this.availableFrom), now);
    return earliestGrantAt(expiryTimes, this.capacity(now), position, now);
  }

  nextChangeAt(now: number): number {
    if (now < this.availableFrom) return this.availableFrom;
    const change = Math.min(this.#leases.nextExpiry(now), this.#limit.nextIncreaseAt(now));
    // What is free and yet not lent is set aside for somebody whose wish will be forgotten.
    return this.free(now) > 0 ? Math.min(change, this.#demandTracker.nextChangeAt(now)) : change;
  }

  async close(): Promise<void> {}

  #decide(request: AcquireRequest, now: number): 'granted' | 'quota' | 'share' {
    const { caller } = request;
    const inUse = this.#leases.countByCaller(now);
    this.#demandTracker.recordRequest(request, inUse.get(caller) ?? 0, now);
    if (now < this.availableFrom) return 'quota';
    return checkFairShare(caller, this.capacity(now), inUse, this.#demandTracker.current(now));
  }
}
