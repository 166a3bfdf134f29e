import type { Clock } from '../clock.js';
import { DemandTracker } from '../fairness/demand-tracker.js';
import { checkFairShare } from '../fairness/fair-share.js';
import type { AcquireRequest, AcquireResult, Decision, SlotPool, SlotPoolListener } from '../slot-pool.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { earliestGrantAt } from './earliest-grant.js';
import { leaseSlot, type OnRelease } from './lease-slot.js';
import { Leases } from './leases.js';

export interface LocalSlotPoolOptions {
  capacity: number;
  clock: Clock;
  /** When the first slot can be granted. */
  availableFrom: number;
  listener: SlotPoolListener;
  /** Existing leases, which count against the capacity. Default: none. */
  leases?: Leases;
  /** Makes lease ids unique among existing leases. */
  idPrefix?: string;
  /** Default: reduces the capacity if the reason is `throttled`, and calls the listener. */
  onRelease?: OnRelease;
}

/**
 * The slots of one process. A slot stays leased until one second after the response to its call, so at most
 * `capacity` calls arrive upstream in any one second, whatever the delays of the network are.
 *
 * @see ../../../../docs/adr/0001-slots.md for the proof
 */
export class LocalSlotPool implements SlotPool {
  readonly #options: LocalSlotPoolOptions;
  readonly #leases: Leases;
  readonly #limit: AdaptiveLimit;
  readonly #demandTracker = new DemandTracker();
  #grantCount = 0;

  constructor(options: LocalSlotPoolOptions) {
    this.#options = options;
    this.#leases = options.leases ?? new Leases();
    this.#limit = new AdaptiveLimit(options.capacity);
  }

  get availableFrom(): number {
    return this.#options.availableFrom;
  }

  acquire(request: AcquireRequest, now: number): AcquireResult {
    const { caller } = request;
    const decision = this.#decide(request, now);
    if (decision !== 'granted') return { rejected: decision };
    this.#demandTracker.recordGrant(caller, now);
    this.#grantCount += 1;
    const { clock, idPrefix = '', onRelease = this.#onRelease } = this.#options;
    const id = `${idPrefix}${this.#grantCount}`;
    return { slot: leaseSlot(this.#leases, clock, { id, caller }, onRelease) };
  }

  rejection(request: AcquireRequest, now: number): 'quota' | 'share' | undefined {
    const previous = this.#demandTracker.get(request.caller);
    const decision = this.#decide(request, now);
    if (decision !== 'granted') return decision;
    this.#demandTracker.restore(request.caller, previous);
    return undefined;
  }

  /** Reduces the capacity after the upstream throttled a call. */
  reduceCapacity(): void {
    const { clock, listener } = this.#options;
    const now = clock.now();
    if (this.#limit.reduce(now)) listener.reduced(this.capacity(now));
  }

  capacity(now: number): number {
    return this.#limit.current(now);
  }

  free(now: number): number {
    return now < this.availableFrom ? 0 : Math.max(0, this.capacity(now) - this.inUse(now));
  }

  inUse(now: number): number {
    return this.#leases.active(now).size;
  }

  earliestGrantAt(position: number, now: number): number {
    const capacity = this.capacity(now);
    const isFullyUsed = capacity === this.#limit.max && this.inUse(now) === capacity;
    if (position === 0 && isFullyUsed && now >= this.availableFrom) return this.#leases.earliestExpiry(now);
    const expiryTimes = this.#leases.expiryTimes(this.#limit.max, Math.max(now, this.availableFrom), now);
    return earliestGrantAt(expiryTimes, capacity, position, now);
  }

  nextChangeAt(now: number): number {
    if (now < this.availableFrom) return this.availableFrom;
    const change = Math.min(this.#leases.nextExpiry(now), this.#limit.nextIncreaseAt(now));
    // A free slot that is not granted is reserved for another caller, until that caller's demand expires.
    return this.free(now) > 0 ? Math.min(change, this.#demandTracker.nextChangeAt(now)) : change;
  }

  async close(): Promise<void> {}

  readonly #onRelease: OnRelease = (_id, _holdMs, reason) => {
    if (reason === 'throttled') this.reduceCapacity();
    this.#options.listener.changed();
  };

  #decide(request: AcquireRequest, now: number): Decision {
    const { caller } = request;
    const inUse = this.#leases.countByCaller(now);
    this.#demandTracker.recordRequest(request, inUse.get(caller) ?? 0, now);
    if (now < this.availableFrom) return 'quota';
    return checkFairShare(caller, this.capacity(now), inUse, this.#demandTracker.current(now));
  }
}
