import { maxMinShares, type Wish } from './max-min-shares.js';

/**
 * Whether a caller may take one more slot. Who has its share takes only what nobody else needs for theirs. Who has
 * less than its share leaves theirs to those that ask for no more than that, and one to each that has fewer.
 * (While everybody keeps to their shares there is enough for all; but shares change faster than slots come back.)
 *
 * @param inUse how many slots each caller has
 * @param wishes of every active caller, this one included
 */
export function fairShare(
  caller: string,
  capacity: number,
  inUse: ReadonlyMap<string, number>,
  wishes: readonly Wish[],
): 'granted' | 'quota' | 'share' {
  let free = capacity;
  for (const count of inUse.values()) free -= count;
  if (wishes.length === 1) return free > 0 ? 'granted' : 'quota';
  const shares = maxMinShares(wishes, capacity);
  const own = standing(
    wishes.find((wish) => wish.caller === caller)!,
    shares,
    inUse,
  );
  for (const wish of wishes) if (wish.caller !== caller) free -= setAside(own, standing(wish, shares, inUse));
  if (free > 0) return 'granted';
  return own.missing > 0 ? 'quota' : 'share';
}

interface Standing {
  readonly used: number;
  /** How many slots it has less than its share. */
  readonly missing: number;
  /** Whether it asks for no more than its share. */
  readonly modest: boolean;
  readonly servedAt: number;
}

function standing(
  { caller, slots, servedAt }: Wish,
  shares: ReadonlyMap<string, number>,
  inUse: ReadonlyMap<string, number>,
): Standing {
  const used = inUse.get(caller) ?? 0;
  const share = shares.get(caller) ?? 0;
  return { used, missing: Math.max(0, share - used), modest: share === slots, servedAt };
}

/** How many free slots a caller leaves to another one. */
function setAside(own: Standing, other: Standing): number {
  if (own.missing === 0 || (other.modest && !own.modest)) return other.missing;
  const poorer = other.used < own.used || (other.used === own.used && other.servedAt < own.servedAt);
  return poorer ? Math.min(1, other.missing) : 0;
}
