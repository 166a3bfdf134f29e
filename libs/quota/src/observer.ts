import type { RejectionReason } from './slot-pool.js';

/** Receives the decisions of the quota and the state of its store, for metrics and logs. */
export interface QuotaObserver {
  /** @param waitedMs how long the call waited in the queue; 0 when it got a slot at once */
  granted(waitedMs: number): void;
  /** @param reason `queue`: the queue is full */
  rejected(reason: RejectionReason | 'queue'): void;
  /** The upstream throttled a call, so another program uses the quota too. The capacity is reduced for a while. */
  reduced(capacity: number): void;
  /** This replica has joined the slot store: its slots come from there. */
  storeConnected(): void;
  /**
   * The slot store is unavailable. Called once for each reason until the next {@link storeConnected}.
   *
   * @param reason a system error code, an error name of the store, or a fixed word; never an address
   * @param fallbackSlots how many slots this replica may lease meanwhile; 0: it rejects every call
   */
  storeDisconnected(reason: string, fallbackSlots: number): void;
}
