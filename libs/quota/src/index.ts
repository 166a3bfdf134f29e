export type { Clock } from './clock.js';
export { Quota } from './quota.js';
export type { AcquireOptions, QueueReservation, QuotaOptions, QuotaState, Rejection } from './quota.js';
export type { QuotaObserver } from './observer.js';
export { RedisSlotStore } from './shared/redis-slot-store.js';
export type { RedisSlotStoreOptions } from './shared/redis-slot-store.js';
export {
  QuotaClosedError,
  QuotaExhaustedError,
  QuotaUnavailableError,
  ShareExhaustedError,
} from './errors.js';
export type { RejectionReason, ReleaseReason, Slot } from './slot-pool.js';
export { maxLeaseMs } from './timing.js';
export type { StoreObserver } from './shared/store-membership.js';
export { SharedSlotPool } from './shared/shared-slot-pool.js';
export type { SlotStore } from './shared/slot-store.js';
