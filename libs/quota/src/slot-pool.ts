/**
 * How the attempt ended for which a slot was acquired:
 * - `completed`: the response arrived, or it is certain that none will. The slot is free one second later.
 * - `throttled`: the response says that the upstream limit was exceeded. The slot is free one second later. Another
 *   program must be using the quota too, so the capacity is halved for five seconds and then grows by one slot a second.
 * - `abandoned`: no response arrived, and the request may still arrive. The slot is free three seconds later.
 * - `unused`: nothing was sent. The slot is free at once.
 */
export type ReleaseReason = 'completed' | 'abandoned' | 'unused' | 'throttled';

/** Permission for one upstream attempt. */
export interface Slot {
  /** Must be called for every slot. The first release counts; later ones are ignored. */
  release(reason: ReleaseReason): void;
}

/** A request of one caller for one slot. */
export interface AcquireRequest {
  readonly caller: string;
  /** How many calls of this caller arrived since its previous request. Includes this call if it is new. */
  readonly newCalls: number;
  /** How many calls of this caller need a slot now. Includes this call. */
  readonly pendingCalls: number;
  /** Whether this call leaves the slots to its caller that the other calls of the caller may need. Default: false. */
  readonly isBackground?: boolean;
}

/** `quota`: no slot is free. `share`: the caller has its fair share, and the free slots are reserved for others. */
export type Decision = 'granted' | 'quota' | 'share';

/** `unavailable`: the slot store is unavailable, and this replica has no fallback slots. */
export type RejectionReason = Exclude<Decision, 'granted'> | 'unavailable';

/** The content of a QuotaExhaustedError or a ShareExhaustedError. */
export interface Rejection {
  readonly reason: 'quota' | 'share';
  /** Milliseconds before which no slot can be free for one more call. */
  readonly retryAfterMs: number;
}

export type AcquireResult = { readonly slot: Slot } | { readonly rejected: RejectionReason };

/** Where slots come from: this process, or a store that replicas share. Times are those of the monotonic clock. */
export interface SlotPool {
  /** When the first slot can be granted. A call that arrives earlier may wait until then, whatever its own wait is. */
  readonly availableFrom: number;
  /** Whether the store of the pool was ever reached; true without a store. */
  readonly hasReachedStore: boolean;
  /** Leases a slot or rejects the request, and records its demand. A returned promise never rejects. */
  acquire(request: AcquireRequest, now: number): AcquireResult | Promise<AcquireResult>;
  /**
   * Rejects a request as {@link acquire} would, without a store command. Returns undefined and records nothing if
   * `acquire` would grant a slot, or if only `acquire` can decide.
   */
  rejection(request: AcquireRequest, now: number): Rejection['reason'] | undefined;
  /** Returns how many slots exist at this time. It is less than the configured number after throttling. */
  capacity(now: number): number;
  /** Returns how many slots are free. */
  free(now: number): number;
  /** Returns how many slots are leased. */
  inUse(now: number): number;
  /** Returns the earliest time at which the call at this position of the queue (0 is its head) can get a slot. */
  earliestGrantAt(position: number, now: number): number;
  /** Returns when a rejected request can have another result; Infinity if only the release of a slot can change it. */
  nextChangeAt(now: number): number;
  /** Stops timers and closes connections. */
  close(): Promise<void>;
}
