import { earliestGrantAt } from '../local/earliest-grant.js';
import { Leases } from '../local/leases.js';
import { LocalSlotPool, type SlotPoolOptions } from '../local/local-slot-pool.js';
import type { AcquireRequest, AcquireResult, Rejection, Slot, SlotPool } from '../slot-pool.js';
import { STARTUP_DELAY_MS } from '../timing.js';
import { ProvenRejections } from './proven-rejections.js';
import type { MembershipState, SlotStore, StoreDecisions, StoreSnapshot } from './slot-store.js';
import { StoreMembership } from './store-membership.js';

/**
 * A grant that arrives later than this, in milliseconds, is not used. The store expires a lease when the longest call
 * has ended, and a process that was blocked would start its call too late for that.
 */
const MAX_GRANT_AGE_MS = 500;

/** A released slot is free as soon as any replica has proven its age. No reply can tell when, so waiting calls ask. */
const MIN_POLL_INTERVAL_MS = 5;

/**
 * The slots that all replicas share through a {@link SlotStore}. Without the store, each replica uses its own fallback
 * slots. At any time the pool is in one of these states:
 *
 * 1. **Member**: slots come from the store. A local snapshot of the shared slots, updated by each command, answers the
 *    questions about free slots and waiting times. While it proves that no slot can be free, calls are rejected without
 *    a command, and a command every 100 ms renews the proof.
 * 2. **Startup delay**: for 1.5 s after the start and after the loss of the store, no slot is granted. Until then all
 *    calls that other replicas may have sent have arrived more than one second ago.
 * 3. **Fallback**: after the delay, slots come from a local pool with this replica's fallback slots, at most
 *    floor(perSecond / replicas). Leases from before the loss count against them. Without fallback slots, each call is
 *    rejected as `unavailable`.
 * 4. **Member again**: the replica registers all of its leases before it acquires a slot. The store grants it no more
 *    than its fallback slots until every other replica that was a member has done the same, for at most 3 s.
 *
 * The store assigns fallback slots so that those of all replicas never exceed `perSecond`, so the total is never
 * exceeded in any state. The exception is a replica that alone is cut off from the store: its fallback slots come on top.
 *
 * @see ../../../../docs/adr/0009-without-redis.md for the reasons
 */
export class SharedSlotPool implements SlotPool {
  readonly #options: SlotPoolOptions;
  readonly #store: SlotStore;
  readonly #leases = new Leases();
  readonly #membership: StoreMembership;
  #fallback: LocalSlotPool;
  #availableFrom: number;
  /** When the startup delay ends: that after the start, or that after the last loss of the store. */
  #resumeAt: number;
  #grantCount = 0;
  #snapshot: { capacity: number; expiryTimes: number[]; nextChangeAt: number };
  readonly #rejections = new ProvenRejections();
  /** Settles when the command to renew the proof has ended; undefined while none is in flight. */
  #renewal: Promise<void> | undefined;
  #cancelRenewal: (() => void) | undefined;

  constructor(options: SlotPoolOptions, store: SlotStore) {
    this.#options = options;
    this.#store = store;
    const { clock, observer, perSecond, availableFrom } = options;
    this.#availableFrom = availableFrom;
    this.#resumeAt = availableFrom;
    this.#fallback = this.#createFallback(0);
    this.#snapshot = { capacity: perSecond, expiryTimes: [], nextChangeAt: Infinity };
    this.#membership = new StoreMembership({
      store,
      clock,
      leases: this.#leases,
      joined: (state, isFirst) => this.#onJoined(state, isFirst),
      updated: (snapshot) => this.#updateSnapshot(snapshot),
      disconnected: () => this.#onDisconnected(),
      observer,
    });
  }

  get availableFrom(): number {
    return this.#availableFrom;
  }

  get hasReachedStore(): boolean {
    return this.#membership.hasJoined;
  }

  async acquire(request: AcquireRequest, now: number): Promise<AcquireResult> {
    if (now < this.#availableFrom) return { rejected: 'quota' };
    if (!this.#membership.isMember) return this.#acquireFallback(request, now);
    return now < this.#resumeAt ? { rejected: 'quota' } : this.#acquireShared(request);
  }

  rejection(request: AcquireRequest, now: number): Rejection['reason'] | undefined {
    if (now < this.#grantsFrom) return undefined;
    if (this.#membership.isMember) return this.#rejectAsProven(request, now);
    return this.#membership.fallbackSlots > 0 ? this.#fallback.rejection(request, now) : undefined;
  }

  capacity(now: number): number {
    return this.#membership.isMember ? this.#snapshot.capacity : this.#fallback.capacity(now);
  }

  free(now: number): number {
    if (now < this.#grantsFrom) return 0;
    if (!this.#membership.isMember) return this.#fallback.free(now);
    return Math.max(0, this.#snapshot.capacity - this.inUse(now));
  }

  inUse(now: number): number {
    return this.#membership.isMember ? this.#sharedExpiryTimes(now).length : this.#fallback.inUse(now);
  }

  earliestGrantAt(position: number, now: number): number {
    if (!this.#membership.isMember) return this.#fallback.earliestGrantAt(position, now);
    const { capacity } = this.#snapshot;
    const expiryTimes = this.#sharedExpiryTimes(now);
    return earliestGrantAt({ capacity, expiryTimes, availableFrom: this.#grantsFrom }, position, now);
  }

  nextChangeAt(now: number): number {
    if (now < this.#grantsFrom) return this.#grantsFrom;
    return this.#membership.isMember
      ? Math.max(this.#snapshot.nextChangeAt, now + MIN_POLL_INTERVAL_MS)
      : this.#fallback.nextChangeAt(now);
  }

  close(): Promise<void> {
    this.#cancelRenewal?.();
    return this.#membership.close();
  }

  get #grantsFrom(): number {
    return Math.max(this.#availableFrom, this.#resumeAt);
  }

  #sharedExpiryTimes(now: number): number[] {
    return this.#snapshot.expiryTimes.filter((time) => time > now);
  }

  async #acquireShared(request: AcquireRequest): Promise<AcquireResult> {
    const { clock } = this.#options;
    if (this.#renewal) await this.#renewal;
    const rejected = this.#rejectAsProven(request, clock.now());
    if (rejected) return { rejected };
    const id = this.#createLeaseId();
    const requestedAt = clock.now();
    const reply = await this.#decide(this.#rejections.takeReports(request), (incarnation, requests) =>
      this.#store.acquire(incarnation, id, requests),
    );
    // A grant whose reply is lost or outdated is not used: the next registration removes its lease from the store.
    if (!reply)
      return this.#membership.isMember ? { rejected: 'quota' } : this.#acquireFallback(request, clock.now());
    const decision = reply.decisions[0]!;
    if (decision !== 'granted') return { rejected: decision };
    const slot = this.#lease(id, request);
    if (clock.now() - requestedAt <= MAX_GRANT_AGE_MS) return { slot };
    slot.release('unused');
    return { rejected: 'quota' };
  }

  /** Sends a command with these requests and records its decisions. Returns undefined if it fails. */
  async #decide(
    requests: readonly AcquireRequest[],
    send: (incarnation: number, requests: readonly AcquireRequest[]) => Promise<StoreDecisions>,
  ): Promise<StoreDecisions | undefined> {
    const sentAt = this.#options.clock.now();
    const reply = await this.#membership.command((incarnation) => send(incarnation, requests));
    if (!reply) return undefined;
    this.#updateSnapshot(reply.snapshot);
    this.#rejections.record(requests, reply, sentAt);
    return reply;
  }

  #rejectAsProven(request: AcquireRequest, now: number): Rejection['reason'] | undefined {
    const reason = this.#rejections.reject(request, now);
    if (reason) this.#scheduleRenewal(now);
    return reason;
  }

  #scheduleRenewal(now: number): void {
    if (this.#cancelRenewal || this.#renewal) return;
    const delayMs = Math.max(0, this.#rejections.renewalDueAt - now);
    this.#cancelRenewal = this.#options.clock.setTimer(delayMs, () => this.#onRenewalTimer());
  }

  #onRenewalTimer(): void {
    this.#cancelRenewal = undefined;
    const now = this.#options.clock.now();
    // Another command may have reported the demand, or renewed the proof.
    if (!this.#membership.isMember || !this.#rejections.hasUnreported) return;
    if (now < this.#rejections.renewalDueAt) return this.#scheduleRenewal(now);
    this.#renewal = this.#renew().finally(() => (this.#renewal = undefined));
  }

  /** Renews the proof, and reports the demand of the calls that were rejected without a command. */
  async #renew(): Promise<void> {
    await this.#decide(this.#rejections.takeReports(), (incarnation, reports) =>
      this.#store.renew(incarnation, reports),
    );
  }

  #acquireFallback(request: AcquireRequest, now: number): AcquireResult {
    if (this.#membership.fallbackSlots === 0) return { rejected: 'unavailable' };
    const decision = this.#fallback.decide(request, now);
    if (decision !== 'granted') return { rejected: decision };
    return { slot: this.#lease(this.#createLeaseId(), request) };
  }

  #createLeaseId(): string {
    this.#grantCount += 1;
    return `${this.#store.replica}/${this.#grantCount}`;
  }

  #lease(id: string, request: AcquireRequest): Slot {
    return this.#leases.lease(id, request, this.#options.clock, (reason, holdMs, totalMs) => {
      if (holdMs > 0) this.#fallback.recordHold(request.caller, totalMs);
      if (reason === 'throttled') void this.#reduceCapacity();
      void this.#release(id, holdMs);
    });
  }

  async #release(id: string, holdMs: number): Promise<void> {
    if (this.#membership.isMember) {
      const snapshot = await this.#membership.command((incarnation) =>
        this.#store.release(incarnation, id, holdMs),
      );
      if (snapshot) this.#updateSnapshot(snapshot);
    }
    this.#options.onChange();
  }

  async #reduceCapacity(): Promise<void> {
    if (!this.#membership.isMember) return this.#fallback.reduceCapacity();
    const reply = await this.#membership.command((incarnation) => this.#store.reduce(incarnation));
    if (reply?.reduced) this.#options.observer.reduced?.(reply.capacity);
  }

  #updateSnapshot({ capacity, expiresInMs, nextChangeInMs }: StoreSnapshot): void {
    const now = this.#options.clock.now();
    // A slot was released unused, or the capacity grew.
    if (capacity - expiresInMs.length > this.free(now)) this.#rejections.invalidate();
    this.#snapshot = {
      capacity,
      expiryTimes: expiresInMs.map((ms) => now + ms),
      nextChangeAt: now + nextChangeInMs,
    };
  }

  #createFallback(perSecond: number): LocalSlotPool {
    const options = { ...this.#options, perSecond, availableFrom: this.#resumeAt };
    return new LocalSlotPool(options, this.#leases);
  }

  #onDisconnected(): void {
    // It would count as new demand after the next registration.
    this.#rejections.takeReports();
    this.#resumeAt = this.#options.clock.now() + STARTUP_DELAY_MS;
    this.#fallback = this.#createFallback(this.#membership.fallbackSlots);
    this.#options.onChange();
  }

  #onJoined({ warmupMs, snapshot }: MembershipState, isFirst: boolean): void {
    const { clock, onChange } = this.#options;
    // A new store grants nothing to a new replica during its warm-up: calls wait for it as for the startup delay.
    if (isFirst && warmupMs > 0)
      this.#availableFrom = Math.max(this.#availableFrom, clock.now() + warmupMs + 1);
    this.#updateSnapshot(snapshot);
    onChange();
  }
}
