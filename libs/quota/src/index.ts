export type { Clock } from './clock.js';
export { Quota } from './quota.js';
export type { QuotaObserver, QuotaOptions, QuotaState, TakeOptions } from './quota.js';
export { QuotaClosed, QuotaExhausted, QuotaUnavailable, ShareExhausted } from './refusals.js';
export type { Refusal, Slot } from './slot-source.js';
