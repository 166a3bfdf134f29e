import type { Demand } from './max-min-shares.js';
import type { AcquireRequest } from '../slot-pool.js';
import { WINDOW_MS } from '../timing.js';

/** How long a call leases its slot, in milliseconds, while no call of its caller has ended: the window, and a round trip. */
const INITIAL_HOLD_MS = WINDOW_MS + 250;

/** A demand expires at the end of the period after the one in which it was recorded: in 2.5 to 5 s. */
export const PERIOD_MS = 2500;

interface CallerDemand {
  period: number;
  /** The peak demand of the previous period, and of this one. */
  previousPeak: number;
  currentPeak: number;
  /** The longest time for which a slot was leased in the previous period, and in this one; 0: none was released. */
  previousHoldMs: number;
  currentHoldMs: number;
  /** Counts the calls in a span that starts with a call and is as long as a slot is leased. */
  spanStartedAt: number;
  callsInSpan: number;
  lastServedAt: number;
}

/**
 * Estimates the demand of each caller from its recent calls. The demand is the larger of two peaks: slots in use plus
 * pending calls at one time, and the calls in the time for which a slot is leased. The second one shows the need of a
 * caller whose calls were rejected. A caller without a request for 2.5 to 5 seconds has no demand.
 */
export class DemandTracker {
  readonly #records = new Map<string, CallerDemand>();

  recordRequest({ caller, newCalls, pendingCalls }: AcquireRequest, inUse: number, now: number): void {
    const record = this.#records.get(caller) ?? createCallerDemand(now);
    this.#records.set(caller, record);
    advancePeriod(record, now);
    const holdMs = Math.max(record.previousHoldMs, record.currentHoldMs) || INITIAL_HOLD_MS;
    if (now - record.spanStartedAt >= holdMs) Object.assign(record, { spanStartedAt: now, callsInSpan: 0 });
    record.callsInSpan += newCalls;
    record.currentPeak = Math.max(record.currentPeak, inUse + pendingCalls, record.callsInSpan);
  }

  /** Records for how long a slot of a caller is leased in total. */
  recordHold(caller: string, holdMs: number, now: number): void {
    const record = this.#records.get(caller);
    if (!record) return;
    advancePeriod(record, now);
    record.currentHoldMs = Math.max(record.currentHoldMs, holdMs);
  }

  /** Returns a copy of a caller's record, for {@link restore}. */
  get(caller: string): Readonly<CallerDemand> | undefined {
    const record = this.#records.get(caller);
    return record && { ...record };
  }

  restore(caller: string, previous: Readonly<CallerDemand> | undefined): void {
    if (previous) this.#records.set(caller, { ...previous });
    else this.#records.delete(caller);
  }

  recordGrant(caller: string, now: number): void {
    const record = this.#records.get(caller);
    if (record) record.lastServedAt = now;
  }

  current(now: number): Demand[] {
    const demands: Demand[] = [];
    for (const [caller, record] of this.#records) {
      advancePeriod(record, now);
      const slots = Math.max(record.previousPeak, record.currentPeak);
      if (slots > 0) demands.push({ caller, slots, lastServedAt: record.lastServedAt });
      else this.#records.delete(caller);
    }
    return demands;
  }

  /** Returns the demand of one caller; 0 if it has none. */
  slots(caller: string, now: number): number {
    return this.current(now).find((demand) => demand.caller === caller)?.slots ?? 0;
  }

  /** Returns when a demand can expire next. */
  nextChangeAt(now: number): number {
    return (Math.floor(now / PERIOD_MS) + 1) * PERIOD_MS;
  }
}

function createCallerDemand(now: number): CallerDemand {
  const period = Math.floor(now / PERIOD_MS);
  const noCalls = { previousPeak: 0, currentPeak: 0, previousHoldMs: 0, currentHoldMs: 0, callsInSpan: 0 };
  return { period, ...noCalls, spanStartedAt: now, lastServedAt: -Infinity };
}

function advancePeriod(record: CallerDemand, now: number): void {
  const period = Math.floor(now / PERIOD_MS);
  if (period === record.period) return;
  const isNext = period === record.period + 1;
  record.previousPeak = isNext ? record.currentPeak : 0;
  record.previousHoldMs = isNext ? record.currentHoldMs : 0;
  record.currentPeak = 0;
  record.currentHoldMs = 0;
  record.period = period;
}
