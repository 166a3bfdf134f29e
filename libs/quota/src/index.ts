/**
 * Limits upstream calls to a number that arrive in any one second, divides them fairly among callers, and shares them
 * among replicas.
 *
 * @see ../../../docs/adr/0001-slots.md
 */
export { Quota } from './quota.js';
export type { AcquireOptions, QueueReservation, QuotaState } from './quota.js';
export type { QuotaObserver } from './observer.js';
export { type StoreCommand, RedisSlotStore } from './shared/redis-slot-store.js';
export {
  QuotaClosedError,
  QuotaExhaustedError,
  QuotaUnavailableError,
  ShareExhaustedError,
} from './errors.js';
export type { Rejection, RejectionReason, ReleaseReason, Slot } from './slot-pool.js';
export { maxLeaseMs } from './timing.js';
