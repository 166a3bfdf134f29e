import type { Ask } from '../slot-source.js';

/** How the slots of all replicas stand, as the store sees it. Durations are milliseconds. */
export interface StoreView {
  readonly capacity: number;
  /** In how long each taken slot is free again; Infinity while its call has no answer. */
  readonly freeIn: readonly number[];
  /** In how long it makes sense to ask again. */
  readonly changeIn: number;
}

/** One slot that this replica has taken, told to the store again. */
export interface EnteredLease {
  readonly id: string;
  readonly caller: string;
  /** Infinity while its call has no answer. */
  readonly freeIn: number;
}

/** A replica, as often as it comes (again): of two messages of one replica, the store heeds the later coming. */
export interface Coming {
  readonly number: number;
  /** The part that it keeps to by itself. */
  readonly part: number;
  readonly leases: readonly EnteredLease[];
}

/** What the store tells a replica of its place among the others, and the replica repeats to say that it has heard. */
export interface Standing {
  /**
   * How many slots it may lend by itself while the store is out of reach. What a replica keeps to is counted until it
   * repeats less, so the parts of all never sum up to more than there are.
   */
  readonly part: number;
  /** Grows with every coming: who repeats it is known to have been there since. */
  readonly era: number;
  /** How long at most nobody gets more than their part, since the store is new and may not know of all. */
  readonly newFor: number;
}

/** The store does not know this replica, or a later coming of it: it must join (again). */
export const STRANGER = 'stranger';

/**
 * Where replicas keep their slots. Everything here is one atomic step on the store's own clock, and rejects when
 * the store cannot do it.
 */
export interface SlotStore {
  /** @param listener is told when the store can be reached, and when it cannot any more */
  open(listener: { reached(): void; lost(reason: string): void }): void;
  /**
   * Replaces what the store knows of this replica's slots. Until all others are known to be there, it gets no more
   * than its part: they may have lent slots that the store does not know yet.
   */
  join(coming: Coming): Promise<Standing>;
  take(
    coming: number,
    id: string,
    ask: Ask,
  ): Promise<{ verdict: 'granted' | 'quota' | 'share'; view: StoreView } | typeof STRANGER>;
  giveBack(coming: number, id: string, heldForMs: number): Promise<StoreView | typeof STRANGER>;
  /** Says that this replica lives, and what it has heard last. */
  beat(coming: number, heard: { part: number; era: number }): Promise<Standing | typeof STRANGER>;
  /** The far end refused a call. @returns whether that lowered the number of slots, and to what */
  lower(coming: number): Promise<{ lowered: boolean; capacity: number } | typeof STRANGER>;
  /** Gives up a connection that does not answer and makes a new one. */
  reconnect(): void;
  /** Says that this replica leaves, if it can, and closes the connection. */
  close(): Promise<void>;
}
