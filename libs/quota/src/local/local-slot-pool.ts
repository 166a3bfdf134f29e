import type { Clock } from '../clock.js';
import { DemandTracker } from '../fairness/demand-tracker.js';
import { checkFairShare } from '../fairness/fair-share.js';
import type { QuotaObserver } from '../observer.js';
import type { AcquireRequest, AcquireResult, Decision, Rejection, SlotPool } from '../slot-pool.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { earliestGrantAt } from './earliest-grant.js';
import { Leases } from './leases.js';

export interface SlotPoolOptions {
  /** How many slots exist. */
  perSecond: number;
  clock: Clock;
  /** When the first slot can be granted. */
  availableFrom: number;
  /** Called when waiting calls may be granted a slot, and no call to the pool caused that. */
  onChange: () => void;
  observer: Partial<QuotaObserver>;
}

/**
 * The slots of one process. A slot stays leased until one second after the response to its call, so at most
 * `perSecond` calls arrive upstream in any one second, whatever the delays of the network are.
 *
 * @see ../../../../docs/adr/0001-slots.md for the proof
 */
export class LocalSlotPool implements SlotPool {
  readonly hasReachedStore = true;
  readonly #options: SlotPoolOptions;
  readonly #leases: Leases;
  readonly #limit: AdaptiveLimit;
  readonly #demandTracker = new DemandTracker();
  /** The demand without background calls. */
  readonly #foregroundTracker = new DemandTracker();
  #grantCount = 0;

  /** @param leases existing leases, which count against the capacity */
  constructor(options: SlotPoolOptions, leases = new Leases()) {
    this.#options = options;
    this.#leases = leases;
    this.#limit = new AdaptiveLimit(options.perSecond);
  }

  get availableFrom(): number {
    return this.#options.availableFrom;
  }

  acquire(request: AcquireRequest, now: number): AcquireResult {
    const decision = this.decide(request, now);
    if (decision !== 'granted') return { rejected: decision };
    const { clock, onChange } = this.#options;
    this.#grantCount += 1;
    const slot = this.#leases.lease(String(this.#grantCount), request, clock, (reason, holdMs, totalMs) => {
      if (holdMs > 0) this.recordHold(request.caller, totalMs);
      if (reason === 'throttled') this.reduceCapacity();
      onChange();
    });
    return { slot };
  }

  /** Decides as {@link acquire}, but leaves it to the caller to add the lease. */
  decide(request: AcquireRequest, now: number): Decision {
    const decision = this.#check(request, now);
    if (decision === 'granted') this.#demandTracker.recordGrant(request.caller, now);
    return decision;
  }

  /** Records for how long a slot of a caller is leased in total, in milliseconds. */
  recordHold(caller: string, holdMs: number): void {
    const now = this.#options.clock.now();
    for (const tracker of [this.#demandTracker, this.#foregroundTracker])
      tracker.recordHold(caller, holdMs, now);
  }

  rejection(request: AcquireRequest, now: number): Rejection['reason'] | undefined {
    const { caller } = request;
    const [previous, previousForeground] = [
      this.#demandTracker.get(caller),
      this.#foregroundTracker.get(caller),
    ];
    const decision = this.#check(request, now);
    if (decision !== 'granted') return decision;
    this.#demandTracker.restore(caller, previous);
    this.#foregroundTracker.restore(caller, previousForeground);
    return undefined;
  }

  /** Reduces the capacity after the upstream throttled a call. */
  reduceCapacity(): void {
    const { clock, observer } = this.#options;
    const now = clock.now();
    if (this.#limit.reduce(now)) observer.reduced?.(this.capacity(now));
  }

  capacity(now: number): number {
    return this.#limit.current(now);
  }

  free(now: number): number {
    return now < this.availableFrom ? 0 : Math.max(0, this.capacity(now) - this.inUse(now));
  }

  inUse(now: number): number {
    return this.#leases.summary(now).expiryTimes.length;
  }

  earliestGrantAt(position: number, now: number): number {
    const { expiryTimes } = this.#leases.summary(now);
    const { availableFrom } = this;
    return earliestGrantAt({ capacity: this.capacity(now), expiryTimes, availableFrom }, position, now);
  }

  nextChangeAt(now: number): number {
    if (now < this.availableFrom) return this.availableFrom;
    const change = Math.min(this.#leases.summary(now).nextExpiry, this.#limit.nextIncreaseAt(now));
    // A free slot that is not granted is reserved for another caller, until that caller's demand expires.
    return this.free(now) > 0 ? Math.min(change, this.#demandTracker.nextChangeAt(now)) : change;
  }

  async close(): Promise<void> {}

  #check(request: AcquireRequest, now: number): Decision {
    const { caller, isBackground } = request;
    const { countByCaller: inUse, foregroundByCaller } = this.#leases.summary(now);
    const foregroundInUse = foregroundByCaller.get(caller) ?? 0;
    this.#demandTracker.recordRequest(request, inUse.get(caller) ?? 0, now);
    if (!isBackground) this.#foregroundTracker.recordRequest(request, foregroundInUse, now);
    if (now < this.availableFrom) return 'quota';
    const reserved = isBackground ? this.#foregroundTracker.slots(caller, now) - foregroundInUse : 0;
    const demands = this.#demandTracker.current(now);
    return checkFairShare(caller, this.capacity(now), inUse, demands, Math.max(0, reserved));
  }
}
