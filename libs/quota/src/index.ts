export type { Clock } from './clock.js';
export { Quota } from './quota.js';
export type {
  AcquireOptions,
  QueueReservation,
  QuotaObserver,
  QuotaOptions,
  QuotaState,
  Rejection,
} from './quota.js';
export { RedisSlotStore } from './redis/redis-slot-store.js';
export type { RedisSlotStoreOptions } from './redis/redis-slot-store.js';
export { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from './refusals.js';
export type { Refusal, ReleaseReason, Slot } from './slot-source.js';
export { longestLeaseMs } from './timing.js';
export type { StoreObserver } from './store/attendance.js';
export { StoredSlots } from './store/stored-slots.js';
export type { SlotStore } from './store/slot-store.js';
