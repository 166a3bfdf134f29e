import { maxMinShares, type Demand } from './max-min-shares.js';

/**
 * Whether a caller may take one more slot. Who has its share takes only what nobody else needs for theirs. Who has
 * less than its share leaves theirs to those that ask for no more than that, and one to each that has fewer.
 * (While everybody keeps to their shares there is enough for all; but shares change faster than slots come back.)
 *
 * @param inUse how many slots each caller has
 * @param demands of every active caller, this one included
 */
export function checkFairShare(
  caller: string,
  capacity: number,
  inUse: ReadonlyMap<string, number>,
  demands: readonly Demand[],
): 'granted' | 'quota' | 'share' {
  let free = capacity;
  for (const count of inUse.values()) free -= count;
  if (demands.length === 1) return free > 0 ? 'granted' : 'quota';
  const shares = maxMinShares(demands, capacity);
  const own = computeShareStatus(
    demands.find((demand) => demand.caller === caller)!,
    shares,
    inUse,
  );
  for (const demand of demands)
    if (demand.caller !== caller) free -= reservedFor(own, computeShareStatus(demand, shares, inUse));
  if (free > 0) return 'granted';
  return own.deficit > 0 ? 'quota' : 'share';
}

interface ShareStatus {
  readonly used: number;
  /** How many slots it has less than its share. */
  readonly deficit: number;
  /** Whether it asks for no more than its share. */
  readonly withinShare: boolean;
  readonly lastServedAt: number;
}

function computeShareStatus(
  { caller, slots, lastServedAt }: Demand,
  shares: ReadonlyMap<string, number>,
  inUse: ReadonlyMap<string, number>,
): ShareStatus {
  const used = inUse.get(caller) ?? 0;
  const share = shares.get(caller) ?? 0;
  return { used, deficit: Math.max(0, share - used), withinShare: share === slots, lastServedAt };
}

/** How many free slots a caller leaves to another one. */
function reservedFor(own: ShareStatus, other: ShareStatus): number {
  if (own.deficit === 0 || (other.withinShare && !own.withinShare)) return other.deficit;
  const hasFewerSlots =
    other.used < own.used || (other.used === own.used && other.lastServedAt < own.lastServedAt);
  return hasFewerSlots ? Math.min(1, other.deficit) : 0;
}
