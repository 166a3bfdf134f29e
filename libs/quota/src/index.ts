export type { Clock } from './clock.js';
export { QuotaExhausted } from './quota-exhausted.js';
export { Quota } from './quota.js';
export type { QuotaObserver, QuotaOptions, QuotaState, TakeOptions } from './quota.js';
export type { Slot } from './slots.js';
