import type { Clock } from '../clock.js';
import { earliestGrantAt } from '../local/earliest-grant.js';
import { Leases } from '../local/leases.js';
import { leaseSlot } from '../local/lease-slot.js';
import type {
  AcquireRequest,
  ReleaseReason,
  SlotPool,
  SlotPoolListener,
  AcquireResult,
} from '../slot-pool.js';
import { LocalSlotPool } from '../local/local-slot-pool.js';
import { STARTUP_DELAY_MS } from '../timing.js';
import { StoreMembership, type StoreObserver } from './store-membership.js';
import type { SlotStore, MembershipState, StoreSnapshot } from './slot-store.js';

/**
 * A grant older than this, in milliseconds, is not used: the store takes its slot back when the longest call is over,
 * and a process that was held up would begin that call too late.
 */
const MAX_GRANT_AGE_MS = 500;

export interface SharedSlotPoolOptions {
  perSecond: number;
  /** Unlike any other replica's. */
  replica: string;
  store: SlotStore;
  clock: Clock;
  listener: SlotPoolListener;
  observer?: StoreObserver;
}

/**
 * Slots that replicas share through a store; without it, this replica's own part of them.
 *
 * When the store is lost nothing is lent for the hold, and then the part. When it is found again, what this replica
 * has taken is entered before anything new is, and the store keeps everybody to their part until all who can have
 * come back. docs/decisions/0009-without-redis.md says why that is never more than there are.
 */
export class SharedSlotPool implements SlotPool {
  readonly #options: SharedSlotPoolOptions;
  readonly #leases = new Leases();
  readonly #membership: StoreMembership;
  #fallback: LocalSlotPool;
  /** When the first slot of all may be lent. */
  #availableFrom: number;
  /** When the first slot after the store was lost may be lent. */
  #resumeAt: number;
  #grantCount = 0;
  #snapshot: { capacity: number; expiryTimes: number[]; nextChangeAt: number };

  constructor(options: SharedSlotPoolOptions) {
    this.#options = options;
    const { clock, store, observer, perSecond } = options;
    this.#availableFrom = clock.now() + STARTUP_DELAY_MS;
    this.#resumeAt = this.#availableFrom;
    this.#fallback = this.#createFallback(0);
    this.#snapshot = { capacity: perSecond, expiryTimes: [], nextChangeAt: Infinity };
    this.#membership = new StoreMembership({
      store,
      clock,
      leases: this.#leases,
      joined: (state, isFirst) => this.#onJoined(state, isFirst),
      disconnected: () => this.#onDisconnected(),
      observer,
    });
  }

  get availableFrom(): number {
    return this.#availableFrom;
  }

  async acquire(request: AcquireRequest, now: number): Promise<AcquireResult> {
    if (now < this.#availableFrom) return { rejected: 'quota' };
    if (!this.#membership.isMember) return this.#acquireFallback(request, now);
    return now < this.#resumeAt ? { rejected: 'quota' } : this.#acquireShared(request);
  }

  /** Always undefined: only the store can tell, until this replica can prove by its last view that no slot is free. */
  rejection(): undefined {
    return undefined;
  }

  capacity(now: number): number {
    return this.#membership.isMember ? this.#snapshot.capacity : this.#fallback.capacity(now);
  }

  free(now: number): number {
    if (now < Math.max(this.#availableFrom, this.#resumeAt)) return 0;
    if (!this.#membership.isMember) return this.#fallback.free(now);
    return Math.max(0, this.#snapshot.capacity - this.inUse(now));
  }

  inUse(now: number): number {
    if (!this.#membership.isMember) return this.#fallback.inUse(now);
    return this.#snapshot.expiryTimes.filter((time) => time > now).length;
  }

  earliestGrantAt(position: number, now: number): number {
    if (!this.#membership.isMember) return this.#fallback.earliestGrantAt(position, now);
    const availableFrom = Math.max(now, this.#availableFrom, this.#resumeAt);
    const expiryTimes = this.#snapshot.expiryTimes
      .filter((time) => time > now)
      .map((time) => Math.max(time, availableFrom));
    while (expiryTimes.length < this.#options.perSecond) expiryTimes.push(availableFrom);
    return earliestGrantAt(expiryTimes, this.#snapshot.capacity, position, now);
  }

  nextChangeAt(now: number): number {
    const availableFrom = Math.max(this.#availableFrom, this.#resumeAt);
    if (now < availableFrom) return availableFrom;
    return this.#membership.isMember
      ? Math.max(this.#snapshot.nextChangeAt, now + 1)
      : this.#fallback.nextChangeAt(now);
  }

  close(): Promise<void> {
    return this.#membership.close();
  }

  async #lower(): Promise<void> {
    if (!this.#membership.isMember) return this.#fallback.lower();
    const { store, listener } = this.#options;
    const reply = await this.#membership.command(store.reduce(this.#membership.incarnation));
    if (reply?.reduced) listener.reduced(reply.capacity);
  }

  async #acquireShared(request: AcquireRequest): Promise<AcquireResult> {
    this.#grantCount += 1;
    const { store, replica, clock } = this.#options;
    const id = `${replica}/${this.#grantCount}`;
    const requestedAt = clock.now();
    // A grant of a store that was lost meanwhile counts for nothing: joining again will take it back.
    const reply = await this.#membership.command(store.acquire(this.#membership.incarnation, id, request));
    if (!reply)
      return this.#membership.isMember ? { rejected: 'quota' } : this.#acquireFallback(request, clock.now());
    this.#updateSnapshot(reply.snapshot);
    if (reply.decision !== 'granted') return { rejected: reply.decision };
    const slot = leaseSlot(this.#leases, clock, { id, caller: request.caller }, this.#onRelease);
    if (clock.now() - requestedAt <= MAX_GRANT_AGE_MS) return { slot };
    slot.release('unused');
    return { rejected: 'quota' };
  }

  #acquireFallback(request: AcquireRequest, now: number): AcquireResult {
    return this.#membership.fallbackSlots === 0
      ? { rejected: 'unavailable' }
      : this.#fallback.acquire(request, now);
  }

  readonly #onRelease = (id: string, holdMs: number, reason: ReleaseReason): void => {
    if (reason === 'throttled') void this.#lower();
    if (this.#membership.isMember) void this.#releaseShared(id, holdMs);
    else this.#options.listener.changed();
  };

  async #releaseShared(id: string, holdMs: number): Promise<void> {
    const { store, listener } = this.#options;
    const snapshot = await this.#membership.command(store.release(this.#membership.incarnation, id, holdMs));
    if (snapshot) this.#updateSnapshot(snapshot);
    listener.changed();
  }

  #updateSnapshot({ capacity, expiresInMs, nextChangeInMs }: StoreSnapshot): void {
    const now = this.#options.clock.now();
    this.#snapshot = {
      capacity,
      expiryTimes: expiresInMs.map((ms) => now + ms),
      nextChangeAt: now + nextChangeInMs,
    };
  }

  #createFallback(capacity: number): LocalSlotPool {
    const { clock, listener, replica } = this.#options;
    return new LocalSlotPool({
      capacity,
      clock,
      availableFrom: this.#resumeAt,
      listener,
      leases: this.#leases,
      idPrefix: `${replica}/alone-${this.#resumeAt}-`,
      onRelease: this.#onRelease,
    });
  }

  #onDisconnected(): void {
    this.#resumeAt = this.#options.clock.now() + STARTUP_DELAY_MS;
    this.#fallback = this.#createFallback(this.#membership.fallbackSlots);
    this.#options.listener.changed();
  }

  #onJoined({ warmupMs }: MembershipState, isFirst: boolean): void {
    const { clock, perSecond, listener } = this.#options;
    const now = clock.now();
    // A store that is new, too, lends nothing to newcomers at first: they wait for that as for the hold.
    if (isFirst && warmupMs > 0) this.#availableFrom = Math.max(this.#availableFrom, now + warmupMs + 1);
    this.#snapshot = { capacity: perSecond, expiryTimes: [], nextChangeAt: now };
    listener.changed();
  }
}
