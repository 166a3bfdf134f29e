/**
 * How the attempt ended that a slot was acquired for:
 * - `completed`: the response arrived, or the attempt ended for certain. The slot is free one second later.
 * - `throttled`: the response rejected the attempt as one too many. As `completed`; in addition somebody else must be
 *   using the quota, so the capacity is reduced for a while, and then grows step by step.
 * - `abandoned`: no response arrived, and the request may still arrive. The slot is free in 2 s + 1 s.
 * - `unused`: nothing was sent. The slot is free at once.
 */
export type ReleaseReason = 'completed' | 'abandoned' | 'unused' | 'throttled';

/** Permission for one upstream attempt to arrive. */
export interface Slot {
  /** Must be called once for every slot. The first release counts, later ones are ignored. */
  release(reason: ReleaseReason): void;
}

/** A caller asks for one slot. */
export interface AcquireRequest {
  readonly caller: string;
  /** How many of its calls are new since its last ask, this one included when it is new. */
  readonly newCalls: number;
  /** How many of its calls want a slot right now, this one included. */
  readonly pendingCalls: number;
}

/**
 * Why no slot was lent: all are taken; the caller has its share, and what is free is others'; or this process
 * may lend none at all for now.
 */
export type RejectionReason = 'quota' | 'share' | 'unavailable';

/** What came of an ask. */
export type AcquireResult = { readonly slot: Slot } | { readonly rejected: RejectionReason };

/**
 * Where slots come from: this process alone, or a store that replicas share. Times are milliseconds of a clock
 * that never goes back.
 */
export interface SlotPool {
  /** When the first slot may be lent; whoever asks earlier may wait until then. */
  readonly availableFrom: number;
  /** Lends a slot at this time or says why not. Never rejects. */
  acquire(request: AcquireRequest, now: number): AcquireResult | Promise<AcquireResult>;
  /**
   * Why `take` rejects this request at this time, recorded as `take` records it; undefined, with nothing recorded,
   * where `take` grants a slot or only `take` can tell.
   */
  rejection(request: AcquireRequest, now: number): 'quota' | 'share' | undefined;
  /** How many slots there are now. */
  capacity(now: number): number;
  free(now: number): number;
  /** How many slots are leased. */
  inUse(now: number): number;
  /** The earliest time at which the call in this place of a queue (0 is its head) can have a slot. */
  earliestGrantAt(position: number, now: number): number;
  /** When it makes sense to ask again; Infinity when only a slot given back can change the answer. */
  nextChangeAt(now: number): number;
  /** Ends everything that the source does by itself. */
  close(): Promise<void>;
}

/** What a source tells while it lends. */
export interface SlotPoolListener {
  /** Something has changed: whoever waits may ask again. */
  changed(): void;
  /** Somebody else uses the quota: only so many slots are left for now. */
  reduced(slots: number): void;
}
