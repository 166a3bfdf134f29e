/** What a caller would use if it could, in slots. */
export interface Demand {
  readonly caller: string;
  readonly slots: number;
  /** When it was last lent one; -Infinity for never. */
  readonly lastServedAt: number;
}

/**
 * Divides slots by max-min fairness: who wishes for less than an equal part has its wish, and what that leaves is
 * divided among the others in the same way. What cannot be divided goes to whoever was served longest ago, so
 * that with more callers than slots everybody's turn comes.
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
