/** How many slots a caller would use if it could. */
export interface Demand {
  readonly caller: string;
  readonly slots: number;
  /** When the caller was last granted a slot; -Infinity: never. */
  readonly lastServedAt: number;
}

/**
 * Divides the capacity by max-min fairness: a caller whose demand is below an equal share gets its demand, and the
 * rest is divided among the other callers in the same way. An indivisible remainder goes to the callers that were
 * served longest ago. So every caller is served at some time, even if there are more callers than slots.
 *
 * @see https://en.wikipedia.org/wiki/Max-min_fairness
 */
export function maxMinShares(demands: readonly Demand[], capacity: number): Map<string, number> {
  const shares = new Map<string, number>();
  const mostRecentFirst = demands.toSorted(byMostRecentlyServed);
  const eligible = mostRecentFirst.slice(-capacity);
  for (const { caller } of mostRecentFirst) shares.set(caller, 0);
  let remaining = capacity;
  let remainingCallers = Math.min(eligible.length, capacity);
  if (remainingCallers === 0) return shares;
  for (const { caller, slots } of eligible.toSorted((a, b) => a.slots - b.slots)) {
    const share = Math.min(slots, Math.floor(remaining / remainingCallers));
    shares.set(caller, share);
    remaining -= share;
    remainingCallers -= 1;
  }
  return shares;
}

function byMostRecentlyServed(a: Demand, b: Demand): number {
  if (a.lastServedAt !== b.lastServedAt) return a.lastServedAt > b.lastServedAt ? -1 : 1;
  return a.caller < b.caller ? 1 : -1;
}
