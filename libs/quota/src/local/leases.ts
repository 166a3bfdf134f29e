import type { Clock } from '../clock.js';
import type { AcquireRequest, ReleaseReason, Slot } from '../slot-pool.js';
import { ABANDONED_MARGIN_MS, WINDOW_MS } from '../timing.js';
import { IN_FLIGHT } from './earliest-grant.js';

/** How long a slot stays leased after its release, in milliseconds. */
const HELD_AFTER_RELEASE_MS: Readonly<Record<ReleaseReason, number>> = {
  completed: WINDOW_MS,
  throttled: WINDOW_MS,
  abandoned: ABANDONED_MARGIN_MS + WINDOW_MS,
  unused: 0,
};

export interface Lease {
  readonly caller: string;
  readonly isBackground: boolean;
  /** When the slot becomes free; {@link IN_FLIGHT} until its attempt ends. */
  expiresAt: number;
}

export interface LeaseSummary {
  /** How many slots each caller has leased. */
  readonly countByCaller: ReadonlyMap<string, number>;
  /** How many of them are not for background calls. */
  readonly foregroundByCaller: ReadonlyMap<string, number>;
  /** When each leased slot becomes free. */
  readonly expiryTimes: readonly number[];
  /** When the next released lease expires; Infinity if there is none. */
  readonly nextExpiry: number;
}

/** The leases of this process, by id. */
export class Leases {
  readonly #leases = new Map<string, Lease>();
  #version = 0;
  // Cached, because a flood of rejected calls reads it far more often than it changes.
  #summary: LeaseSummary | undefined;

  /** Grows with every added or released lease, but not when one expires. */
  get version(): number {
    return this.#version;
  }

  add(id: string, caller: string, expiresAt = IN_FLIGHT, isBackground = false): void {
    this.#invalidate();
    this.#leases.set(id, { caller, isBackground, expiresAt });
  }

  release(id: string, expiresAt: number): void {
    const lease = this.#leases.get(id);
    this.#invalidate();
    if (lease) lease.expiresAt = expiresAt;
  }

  /**
   * Adds a lease and returns its slot.
   *
   * @param onRelease called at the first release, with the time for which the slot stays leased, and the time for which
   *   it is leased in total
   */
  lease(
    id: string,
    { caller, isBackground }: Pick<AcquireRequest, 'caller' | 'isBackground'>,
    clock: Clock,
    onRelease: (reason: ReleaseReason, holdMs: number, totalMs: number) => void,
  ): Slot {
    this.add(id, caller, IN_FLIGHT, isBackground);
    const leasedAt = clock.now();
    let isReleased = false;
    return {
      release: (reason) => {
        if (isReleased) return;
        isReleased = true;
        const holdMs = HELD_AFTER_RELEASE_MS[reason];
        const expiresAt = clock.now() + holdMs;
        this.release(id, expiresAt);
        onRelease(reason, holdMs, expiresAt - leasedAt);
      },
    };
  }

  /** Returns the leases that are active at this time. */
  active(now: number): ReadonlyMap<string, Lease> {
    this.summary(now);
    return this.#leases;
  }

  /** Returns a summary of the leases that are active at this time, and removes the expired ones. */
  summary(now: number): LeaseSummary {
    if (this.#summary && this.#summary.nextExpiry > now) return this.#summary;
    const countByCaller = new Map<string, number>();
    const foregroundByCaller = new Map<string, number>();
    const expiryTimes: number[] = [];
    for (const [id, { caller, isBackground, expiresAt }] of this.#leases) {
      if (expiresAt <= now) this.#leases.delete(id);
      else {
        countByCaller.set(caller, (countByCaller.get(caller) ?? 0) + 1);
        if (!isBackground) foregroundByCaller.set(caller, (foregroundByCaller.get(caller) ?? 0) + 1);
        expiryTimes.push(expiresAt);
      }
    }
    this.#summary = { countByCaller, foregroundByCaller, expiryTimes, nextExpiry: Math.min(...expiryTimes) };
    return this.#summary;
  }

  #invalidate(): void {
    this.#version += 1;
    this.#summary = undefined;
  }
}
