/** What a caller would use if it could, in slots. */
export interface Wish {
  readonly caller: string;
  readonly slots: number;
  /** When it was last lent one; -Infinity for never. */
  readonly servedAt: number;
}

/**
 * Divides slots by max-min fairness: who wishes for less than an equal part has its wish, and what that leaves is
 * divided among the others in the same way. What cannot be divided goes to whoever was served longest ago, so
 * that with more callers than slots everybody's turn comes.
 */
export function maxMinShares(wishes: readonly Wish[], capacity: number): Map<string, number> {
  const shares = new Map<string, number>();
  const latestFirst = wishes.toSorted(byTurn);
  const served = latestFirst.slice(-capacity);
  for (const { caller } of latestFirst) shares.set(caller, 0);
  let left = capacity;
  let callers = Math.min(served.length, capacity);
  if (callers === 0) return shares;
  for (const { caller, slots } of served.toSorted((a, b) => a.slots - b.slots)) {
    const share = Math.min(slots, Math.floor(left / callers));
    shares.set(caller, share);
    left -= share;
    callers -= 1;
  }
  return shares;
}

function byTurn(a: Wish, b: Wish): number {
  if (a.servedAt !== b.servedAt) return a.servedAt > b.servedAt ? -1 : 1;
  return a.caller < b.caller ? 1 : -1;
}
