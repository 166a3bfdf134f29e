import type { RejectionReason } from './slot-pool.js';

/** Is told what the quota decides, for metrics. */
export interface QuotaObserver {
  /** @param waitedMs 0 for a call that found a slot at once */
  granted(waitedMs: number): void;
  rejected(reason: RejectionReason | 'queue'): void;
  /** Somebody else uses the quota: only so many slots are left for now. */
  reduced(slots: number): void;
}
