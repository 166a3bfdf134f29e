import { AdaptiveLimit } from '../src/local/adaptive-limit.js';
import type { Clock } from '../src/clock.js';
import { IN_FLIGHT } from '../src/local/earliest-grant.js';
import { checkFairShare } from '../src/fairness/fair-share.js';
import { Leases } from '../src/local/leases.js';
import type { AcquireRequest } from '../src/slot-pool.js';
import type { LeaseSnapshot, MembershipState, StoreSnapshot } from '../src/shared/slot-store.js';
import { PERIOD_MS, DemandTracker } from '../src/fairness/demand-tracker.js';

const RECOVERY_WINDOW_MS = 3000;
const POLL_INTERVAL_MS = 250;
const MEMBER_TIMEOUT_MS = 5000;

interface Member {
  incarnation: number;
  lastSeenAt: number;
  fallbackSlots: number;
  acknowledgedEpoch: number;
  readonly joinEpoch: number;
  joinedAt: number;
}

/** The TypeScript model of the Redis scripts, built from the classes of this library. */
export class ModelStore {
  #leases = new Leases();
  #demandTracker = new DemandTracker();
  #members = new Map<string, Member>();
  #warmupUntil: number | undefined;
  #epoch = 0;
  #limit: AdaptiveLimit;
  readonly #owners = new Map<string, string>();

  constructor(
    readonly perSecond: number,
    readonly leaseMs: number,
    readonly clock: Clock,
  ) {
    this.#limit = new AdaptiveLimit(perSecond);
  }

  /** Deletes all data. */
  flush(): void {
    this.#leases = new Leases();
    this.#demandTracker = new DemandTracker();
    this.#limit = new AdaptiveLimit(this.perSecond);
    this.#members.clear();
    this.#owners.clear();
    this.#warmupUntil = undefined;
    this.#epoch = 0;
  }

  isMember(replica: string, incarnation: number): boolean {
    return this.#members.get(replica)?.incarnation === incarnation;
  }

  join(
    replica: string,
    incarnation: number,
    fallbackSlots: number,
    leases: readonly LeaseSnapshot[],
  ): MembershipState {
    const now = this.clock.now();
    if ((this.#members.get(replica)?.incarnation ?? 0) > incarnation)
      return { fallbackSlots: 0, epoch: 0, warmupMs: 0 };
    this.#warmupUntil ??= now + RECOVERY_WINDOW_MS;
    for (const [id, owner] of this.#owners) if (owner === replica) this.#leases.release(id, 0);
    for (const { id, caller, expiresInMs } of leases) this.#addLease(replica, id, caller, now, expiresInMs);
    this.#epoch += 1;
    this.#members.set(replica, {
      incarnation,
      lastSeenAt: now,
      fallbackSlots,
      acknowledgedEpoch: 0,
      joinEpoch: this.#epoch,
      joinedAt: now,
    });
    return this.#updateMembership(replica, fallbackSlots, now);
  }

  acquire(replica: string, id: string, request: AcquireRequest) {
    const now = this.clock.now();
    const { caller } = request;
    const { countByCaller: inUse } = this.#leases.summary(now);
    this.#demandTracker.recordRequest(request, inUse.get(caller) ?? 0, now);
    let decision = checkFairShare(caller, this.#limit.current(now), inUse, this.#demandTracker.current(now));
    const own = [...this.#leases.active(now).keys()].filter(
      (key) => this.#owners.get(key) === replica,
    ).length;
    const { fallbackSlots } = this.#members.get(replica)!;
    if (decision === 'granted' && this.#recoveryWindow(replica, now) > 0 && own >= fallbackSlots)
      decision = 'quota';
    if (decision === 'granted') {
      this.#addLease(replica, id, caller, now, Infinity);
      this.#demandTracker.recordGrant(caller, now);
    }
    return { decision, snapshot: this.#snapshot(replica, now) };
  }

  release(replica: string, id: string, holdMs: number): StoreSnapshot {
    const now = this.clock.now();
    if (this.#leases.active(now).has(id)) {
      this.#inFlight.delete(id);
      this.#owners.set(id, replica);
    }
    this.#leases.release(id, now + holdMs);
    return this.#snapshot(replica, now);
  }

  heartbeat(replica: string, { fallbackSlots, epoch }: Omit<MembershipState, 'warmupMs'>): MembershipState {
    const now = this.clock.now();
    const own = this.#members.get(replica)!;
    own.acknowledgedEpoch = epoch;
    if (now - own.lastSeenAt > RECOVERY_WINDOW_MS) own.joinedAt = now;
    if (now - own.joinedAt >= RECOVERY_WINDOW_MS && this.#warmupMs(now) === 0)
      for (const [name, { lastSeenAt }] of this.#members)
        if (name !== replica && now - lastSeenAt > MEMBER_TIMEOUT_MS) this.#members.delete(name);
    return this.#updateMembership(replica, fallbackSlots, now);
  }

  reduce(): { reduced: boolean; capacity: number } {
    const now = this.clock.now();
    return { reduced: this.#limit.reduce(now), capacity: this.#limit.current(now) };
  }

  // The store expires leases in flight too, after the longest lease. So they are recorded separately.
  readonly #inFlight = new Set<string>();

  #addLease(replica: string, id: string, caller: string, now: number, expiresInMs: number): void {
    this.#owners.set(id, replica);
    if (expiresInMs === Infinity) this.#inFlight.add(id);
    else this.#inFlight.delete(id);
    this.#leases.add(id, caller, now + Math.min(expiresInMs, this.leaseMs));
  }

  #warmupMs(now: number): number {
    return Math.max(0, (this.#warmupUntil ?? 0) - now);
  }

  #recoveryWindow(replica: string, now: number): number {
    const { joinEpoch, joinedAt } = this.#members.get(replica)!;
    const hasUnseenMember = this.#others(replica).some(
      ({ acknowledgedEpoch }) => acknowledgedEpoch < joinEpoch,
    );
    return Math.max(0, hasUnseenMember ? joinedAt + RECOVERY_WINDOW_MS - now : 0, this.#warmupMs(now));
  }

  #others(replica: string): Member[] {
    return [...this.#members].flatMap(([name, member]) => (name === replica ? [] : [member]));
  }

  #updateMembership(replica: string, claimed: number, now: number): MembershipState {
    const others = this.#others(replica);
    const equalShare = Math.floor(this.perSecond / (others.length + 1));
    const unclaimed = this.perSecond - others.reduce((sum, { fallbackSlots }) => sum + fallbackSlots, 0);
    const warmupMs = this.#warmupMs(now);
    const available = Math.max(0, Math.min(equalShare, unclaimed));
    const fallbackSlots = warmupMs > 0 ? Math.min(available, claimed) : available;
    Object.assign(this.#members.get(replica)!, {
      lastSeenAt: now,
      fallbackSlots: Math.max(fallbackSlots, claimed),
    });
    return { fallbackSlots, epoch: this.#epoch, warmupMs: Math.ceil(warmupMs) };
  }

  #snapshot(replica: string, now: number): StoreSnapshot {
    const capacity = this.#limit.current(now);
    const leases = [...this.#leases.active(now)];
    const expiresInMs = leases.map(([id, { expiresAt }]) =>
      this.#inFlight.has(id) ? IN_FLIGHT : Math.ceil(expiresAt - now),
    );
    let nextChangeInMs = Math.min(1001, this.#limit.nextIncreaseAt(now) - now);
    for (const [id, { expiresAt }] of leases)
      if (!this.#inFlight.has(id)) nextChangeInMs = Math.min(nextChangeInMs, expiresAt - now);
    if (leases.length < capacity) nextChangeInMs = Math.min(nextChangeInMs, PERIOD_MS - (now % PERIOD_MS));
    const recoveryWindow = this.#recoveryWindow(replica, now);
    if (recoveryWindow > 0) nextChangeInMs = Math.min(nextChangeInMs, recoveryWindow, POLL_INTERVAL_MS);
    return { capacity, expiresInMs, nextChangeInMs: Math.ceil(nextChangeInMs) };
  }
}
