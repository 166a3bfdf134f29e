import type { AcquireRequest, Decision } from '../slot-pool.js';

/** The shared slots at the time of a command. Durations are in milliseconds. */
export interface StoreSnapshot {
  readonly capacity: number;
  /** When each leased slot becomes free; Infinity while its call is in flight. */
  readonly expiresInMs: readonly number[];
  /** When a rejected request can have another result. */
  readonly nextChangeInMs: number;
}

/** The decision on each request of a command, in the same order. */
export interface StoreDecisions {
  readonly decisions: readonly Decision[];
  readonly snapshot: StoreSnapshot;
}

/** A lease of this replica, as it is registered when the replica joins. */
export interface LeaseSnapshot {
  readonly id: string;
  readonly caller: string;
  /** Infinity while the call is in flight. */
  readonly expiresInMs: number;
}

/** The values that a replica acknowledges with its next heartbeat. */
export interface Acknowledgement {
  /**
   * How many slots this replica may lease while the store is unavailable. The store counts the number that the replica
   * uses until the replica acknowledges a smaller one. So the fallback slots of all replicas never exceed the total.
   */
  readonly fallbackSlots: number;
  /** Grows with each registration of any replica. A replica that acknowledges an epoch has joined since it began. */
  readonly epoch: number;
}

/** The response to a registration or a heartbeat. */
export interface MembershipState extends Acknowledgement {
  /** How long the store is still new, in milliseconds. Until then other replicas may hold leases that it lacks. */
  readonly warmupMs: number;
  readonly snapshot: StoreSnapshot;
}

/** The reason of the error if the store does not know this incarnation of the replica: the replica must join again. */
export const NOT_A_MEMBER = 'not-a-member';

/** The reason of the error if nothing more is known. */
export const CLOSED = 'closed';

/** A command of the slot store failed. */
export class SlotStoreError extends Error {
  override readonly name = 'SlotStoreError';

  /** @param reason a system error code, an error name of the server such as `OOM`, or a fixed word; never an address */
  constructor(readonly reason: string) {
    super(`the slot store failed: ${reason}`);
  }
}

/**
 * The connection of one replica to the slots that all replicas share. Each command is one atomic step on the clock of
 * the store, which the members drive, and rejects with a SlotStoreError if the store cannot execute it. Each registration of a replica has a
 * higher incarnation; the store rejects commands of an older one as {@link NOT_A_MEMBER}.
 */
export interface SlotStore {
  /** Identifies this replica. No other replica has the same name. */
  readonly replica: string;
  /** Connects, and keeps reconnecting. The listener receives each change of the connection. */
  open(listener: { connected(): void; disconnected(reason: string): void }): void;
  /**
   * Registers this replica and replaces its leases in the store.
   *
   * Until every other replica has joined since, this replica is granted no more than its fallback slots: the others may
   * hold leases that the store does not know.
   *
   * @param fallbackSlots how many fallback slots this replica uses until it receives another number
   */
  join(
    incarnation: number,
    fallbackSlots: number,
    leases: readonly LeaseSnapshot[],
  ): Promise<MembershipState>;
  /**
   * Decides on the first request, and leases a slot with this id if the decision is `granted`. The other requests report
   * the demand of other callers, whose calls were rejected without a command. Their decisions are those after the first.
   */
  acquire(incarnation: number, id: string, requests: readonly AcquireRequest[]): Promise<StoreDecisions>;
  /** Reports demand like {@link acquire}, and leases nothing. */
  renew(incarnation: number, reports: readonly AcquireRequest[]): Promise<StoreDecisions>;
  /** Makes the lease expire after `holdMs` milliseconds. */
  release(incarnation: number, id: string, holdMs: number): Promise<StoreSnapshot>;
  /** Reports that this replica is alive. A replica without a heartbeat for five seconds is no longer a member. */
  heartbeat(incarnation: number, acknowledged: Acknowledgement): Promise<MembershipState>;
  /** When a heartbeat can prove that the latest release is one second old; Infinity if no heartbeat is needed. */
  nextProofAt(): number;
  /** Halves the capacity. Returns the capacity, and false in `reduced` if it was already reduced for this burst. */
  reduce(incarnation: number): Promise<{ reduced: boolean; capacity: number }>;
  /** Replaces a connection that does not respond. */
  reconnect(): void;
  /** Ends the membership of this replica if the store is available, and closes the connection. */
  close(): Promise<void>;
}
