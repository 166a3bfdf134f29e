import { AdaptiveLimit } from '../src/local/adaptive-limit.js';
import { IN_FLIGHT } from '../src/local/earliest-grant.js';
import { checkFairShare } from '../src/fairness/fair-share.js';
import type { AcquireRequest, Decision } from '../src/slot-pool.js';
import {
  type Acknowledgement,
  type LeaseSnapshot,
  type MembershipState,
  NOT_A_MEMBER,
  type StoreDecisions,
  type StoreSnapshot,
} from '../src/shared/slot-store.js';
import type { StoreTimeProof } from '../src/shared/store-clock.js';
import { PERIOD_MS, DemandTracker } from '../src/fairness/demand-tracker.js';

const RECOVERY_WINDOW_MS = 3000;
const POLL_INTERVAL_MS = 250;
const MEMBER_TIMEOUT_MS = 5000;
const MIN_UNPROVEN_MS = 1;

interface Member {
  incarnation: number;
  lastSeenAt: number;
  fallbackSlots: number;
  acknowledgedEpoch: number;
  readonly joinEpoch: number;
  joinedAt: number;
}

interface StoredLease {
  readonly owner: string;
  readonly caller: string;
  readonly isBackground?: boolean | undefined;
  readonly isInFlight: boolean;
  readonly stamp: number;
  readonly expiresAt: number;
}

/** Who sends a command, and what it proves. */
export interface Sender {
  readonly replica: string;
  readonly incarnation: number;
  readonly proof: StoreTimeProof;
}

/** The TypeScript model of the Redis scripts, built from the classes of this library. */
export class ModelStore {
  /** The clock of the store; undefined before the first registration. */
  clock: number | undefined;
  /** The stamp of the latest release. */
  stamp = 0;
  #provenStamp = 0;
  #epoch = 0;
  #warmupUntil = 0;
  readonly #leases = new Map<string, StoredLease>();
  readonly #members = new Map<string, Member>();
  readonly #demandTracker = new DemandTracker();
  readonly #foregroundTracker = new DemandTracker();
  readonly #limit: AdaptiveLimit;

  constructor(
    readonly perSecond: number,
    readonly leaseMs: number,
  ) {
    this.#limit = new AdaptiveLimit(perSecond);
  }

  isMember(replica: string, incarnation: number): boolean {
    return this.#members.get(replica)?.incarnation === incarnation;
  }

  /** @param serverTime starts the clock of a new store */
  join(
    { replica, incarnation, proof }: Sender,
    fallbackSlots: number,
    leases: readonly LeaseSnapshot[],
    serverTime: number,
  ): MembershipState | typeof NOT_A_MEMBER {
    const previous = this.#members.get(replica)?.incarnation ?? 0;
    if (previous === incarnation) this.#advance(proof);
    if (previous > incarnation) return NOT_A_MEMBER;
    if (this.clock === undefined) {
      this.clock = serverTime;
      this.stamp = serverTime;
      this.#warmupUntil = this.clock + RECOVERY_WINDOW_MS;
    }
    const now = this.clock;
    for (const [id, { owner }] of this.#leases) if (owner === replica) this.#leases.delete(id);
    const stamp = this.#nextStamp();
    for (const { id, caller, expiresInMs } of leases) {
      const expiresAt = now + Math.min(expiresInMs, this.leaseMs);
      const isInFlight = expiresInMs === Infinity;
      this.#leases.set(id, { owner: replica, caller, isInFlight, stamp, expiresAt });
    }
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

  /** Executes a command of a member with the time of the store. */
  execute<T>({ replica, incarnation, proof }: Sender, command: (now: number) => T): T | typeof NOT_A_MEMBER {
    if (!this.isMember(replica, incarnation) || proof.observedStamp > this.stamp) return NOT_A_MEMBER;
    return command(this.#advance(proof));
  }

  /** @param id of the lease for the first request; undefined: no lease */
  decide(
    replica: string,
    id: string | undefined,
    requests: readonly AcquireRequest[],
    now: number,
  ): StoreDecisions {
    for (const request of requests) {
      const { caller, isBackground } = request;
      this.#demandTracker.recordRequest(request, this.#countByCaller(now).get(caller) ?? 0, now);
      if (!isBackground)
        this.#foregroundTracker.recordRequest(request, this.#foregroundInUse(caller, now), now);
    }
    const decisions = requests.map((request, index) => {
      const { caller, isBackground } = request;
      const decision = this.#decideOne(replica, request, now);
      if (index > 0 || id === undefined || decision !== 'granted') return decision;
      this.#leases.set(id, {
        owner: replica,
        caller,
        isBackground,
        isInFlight: true,
        stamp: this.stamp,
        expiresAt: now + this.leaseMs,
      });
      this.#demandTracker.recordGrant(caller, now);
      return decision;
    });
    return { decisions, snapshot: this.#snapshot(replica, now) };
  }

  release(replica: string, id: string, holdMs: number, now: number): StoreSnapshot {
    const lease = this.#leases.get(id);
    if (lease && holdMs === 0) this.#leases.delete(id);
    else if (lease && lease.expiresAt > now) {
      const leasedAt = lease.expiresAt - this.leaseMs;
      if (lease.isInFlight)
        for (const tracker of [this.#demandTracker, this.#foregroundTracker])
          tracker.recordHold(lease.caller, now + holdMs - leasedAt, now);
      const released = { isInFlight: false, stamp: this.#nextStamp(), expiresAt: now + holdMs };
      const { caller, isBackground } = lease;
      this.#leases.set(id, { owner: replica, caller, isBackground, ...released });
    }
    return this.#snapshot(replica, now);
  }

  heartbeat(replica: string, { fallbackSlots, epoch }: Acknowledgement, now: number): MembershipState {
    const own = this.#members.get(replica)!;
    own.acknowledgedEpoch = epoch;
    if (now - own.lastSeenAt > RECOVERY_WINDOW_MS) own.joinedAt = now;
    if (now - own.joinedAt >= RECOVERY_WINDOW_MS && this.#warmupMs(now) === 0)
      for (const [name, { lastSeenAt }] of this.#members)
        if (name !== replica && now - lastSeenAt > MEMBER_TIMEOUT_MS) this.#members.delete(name);
    return this.#updateMembership(replica, fallbackSlots, now);
  }

  reduce(now: number): { reduced: boolean; capacity: number } {
    return { reduced: this.#limit.reduce(now), capacity: this.#limit.current(now) };
  }

  #decideOne(replica: string, { caller, isBackground }: AcquireRequest, now: number): Decision {
    const foreground = this.#foregroundTracker.slots(caller, now);
    const reserved = isBackground ? Math.max(0, foreground - this.#foregroundInUse(caller, now)) : 0;
    const capacity = this.#limit.current(now);
    const demands = this.#demandTracker.current(now);
    const decision = checkFairShare(caller, capacity, this.#countByCaller(now), demands, reserved);
    const own = this.#active(now).filter(([, { owner }]) => owner === replica).length;
    const { fallbackSlots } = this.#members.get(replica)!;
    const isRecovering = this.#recoveryWindow(replica, now) > 0;
    return decision === 'granted' && isRecovering && own >= fallbackSlots ? 'quota' : decision;
  }

  #foregroundInUse(caller: string, now: number): number {
    const leases = this.#active(now).map(([, lease]) => lease);
    return leases.filter((lease) => lease.caller === caller && !lease.isBackground).length;
  }

  #advance({ time, provenStamp }: StoreTimeProof): number {
    this.#provenStamp = Math.max(this.#provenStamp, provenStamp);
    this.clock = Math.max(this.clock!, time);
    return this.clock;
  }

  #nextStamp(): number {
    this.stamp = Math.max(this.stamp + 1, Math.ceil(this.clock!));
    return this.stamp;
  }

  #active(now: number): [string, StoredLease][] {
    for (const [id, lease] of this.#leases) if (this.#remainingMs(lease, now) <= 0) this.#leases.delete(id);
    return [...this.#leases];
  }

  #remainingMs({ isInFlight, stamp, expiresAt }: StoredLease, now: number): number {
    return Math.max(expiresAt - now, !isInFlight && stamp > this.#provenStamp ? MIN_UNPROVEN_MS : -Infinity);
  }

  #countByCaller(now: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [, { caller }] of this.#active(now)) counts.set(caller, (counts.get(caller) ?? 0) + 1);
    return counts;
  }

  #warmupMs(now: number): number {
    return Math.max(0, this.#warmupUntil - now);
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
    const fallbackSlots = this.#recoveryWindow(replica, now) > 0 ? Math.min(available, claimed) : available;
    Object.assign(this.#members.get(replica)!, {
      lastSeenAt: now,
      fallbackSlots: Math.max(fallbackSlots, claimed),
    });
    const snapshot = this.#snapshot(replica, now);
    return { fallbackSlots, epoch: this.#epoch, warmupMs: Math.ceil(warmupMs), snapshot };
  }

  #snapshot(replica: string, now: number): StoreSnapshot {
    const capacity = this.#limit.current(now);
    const leases = this.#active(now).map(([, lease]) => lease);
    const expiresInMs = leases.map((lease) =>
      lease.isInFlight ? IN_FLIGHT : Math.ceil(this.#remainingMs(lease, now)),
    );
    let nextChangeInMs = Math.min(1001, this.#limit.nextIncreaseAt(now) - now);
    for (const lease of leases)
      if (!lease.isInFlight) nextChangeInMs = Math.min(nextChangeInMs, this.#remainingMs(lease, now));
    if (leases.length < capacity) nextChangeInMs = Math.min(nextChangeInMs, PERIOD_MS - (now % PERIOD_MS));
    const recoveryWindow = this.#recoveryWindow(replica, now);
    if (recoveryWindow > 0) nextChangeInMs = Math.min(nextChangeInMs, recoveryWindow, POLL_INTERVAL_MS);
    return { capacity, expiresInMs, nextChangeInMs: Math.ceil(nextChangeInMs) };
  }
}
