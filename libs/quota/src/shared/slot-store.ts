import type { AcquireRequest } from '../slot-pool.js';

/** How the slots of all replicas stand, as the store sees it. Durations are milliseconds. */
export interface StoreSnapshot {
  readonly capacity: number;
  /** In how long each taken slot is free again; Infinity while its call has no answer. */
  readonly expiresInMs: readonly number[];
  /** In how long it makes sense to ask again. */
  readonly nextChangeInMs: number;
}

/** One slot that this replica has taken, told to the store again. */
export interface LeaseSnapshot {
  readonly id: string;
  readonly caller: string;
  /** Infinity while its call has no answer. */
  readonly expiresInMs: number;
}

/** A replica, as often as it comes (again): of two messages of one replica, the store heeds the later coming. */
export interface JoinRequest {
  readonly incarnation: number;
  /** The part that it keeps to by itself. */
  readonly fallbackSlots: number;
  readonly leases: readonly LeaseSnapshot[];
}

/** What the store tells a replica of its place among the others, and the replica repeats to say that it has heard. */
export interface MembershipState {
  /**
   * How many slots it may lend by itself while the store is out of reach. What a replica keeps to is counted until it
   * repeats less, so the parts of all never sum up to more than there are.
   */
  readonly fallbackSlots: number;
  /** Grows with every coming: who repeats it is known to have been there since. */
  readonly epoch: number;
  /** How long at most nobody gets more than their part, since the store is new and may not know of all. */
  readonly warmupMs: number;
}

/** The store does not know this replica, or a later coming of it: it must join (again). */
export const NOT_A_MEMBER = 'not-a-member';

/**
 * Where replicas keep their slots. Everything here is one atomic step on the store's own clock, and rejects when
 * the store cannot do it.
 */
export interface SlotStore {
  /** @param listener is told when the store can be reached, and when it cannot any more */
  open(listener: { connected(): void; disconnected(reason: string): void }): void;
  /**
   * Replaces what the store knows of this replica's slots. Until all others are known to be there, it gets no more
   * than its part: they may have lent slots that the store does not know yet.
   */
  join(request: JoinRequest): Promise<MembershipState>;
  acquire(
    incarnation: number,
    id: string,
    request: AcquireRequest,
  ): Promise<{ decision: 'granted' | 'quota' | 'share'; snapshot: StoreSnapshot } | typeof NOT_A_MEMBER>;
  release(incarnation: number, id: string, holdMs: number): Promise<StoreSnapshot | typeof NOT_A_MEMBER>;
  /** Says that this replica lives, and what it has heard last. */
  heartbeat(
    incarnation: number,
    acknowledged: { fallbackSlots: number; epoch: number },
  ): Promise<MembershipState | typeof NOT_A_MEMBER>;
  /** The far end refused a call. @returns whether that lowered the number of slots, and to what */
  reduce(incarnation: number): Promise<{ reduced: boolean; capacity: number } | typeof NOT_A_MEMBER>;
  /** Gives up a connection that does not answer and makes a new one. */
  reconnect(): void;
  /** Says that this replica leaves, if it can, and closes the connection. */
  close(): Promise<void>;
}
