import type { Decision } from '../slot-pool.js';
import { maxMinShares, type Demand } from './max-min-shares.js';

/**
 * Decides whether a caller may lease one more slot. Free slots are reserved for other callers by this rule:
 * - A caller at its share may only use slots that no other caller needs to reach its own share.
 * - A caller below its share leaves the missing slots to callers whose demand is within their share, unless its own
 *   demand is too; and one slot to each other caller that is below its share and has fewer slots.
 *
 * The second rule matters because shares change faster than slots become free.
 *
 * @param inUse how many slots each caller has leased
 * @param demands of every active caller, including this one
 * @param reserved how many free slots a background call leaves to the other calls of its caller
 */
export function checkFairShare(
  caller: string,
  capacity: number,
  inUse: ReadonlyMap<string, number>,
  demands: readonly Demand[],
  reserved = 0,
): Decision {
  let free = capacity - reserved;
  for (const count of inUse.values()) free -= count;
  if (demands.length === 1) return free > 0 ? 'granted' : 'quota';
  const shares = maxMinShares(demands, capacity);
  const statuses = demands.map((demand) => shareStatus(demand, shares, inUse));
  const own = statuses.find((status) => status.caller === caller)!;
  for (const other of statuses) if (other !== own) free -= reservedFor(own, other);
  if (free > 0) return 'granted';
  return own.deficit > 0 ? 'quota' : 'share';
}

interface ShareStatus extends Demand {
  readonly used: number;
  /** How many slots the caller lacks to its share. */
  readonly deficit: number;
  /** Whether the demand is no larger than the share. */
  readonly withinShare: boolean;
}

function shareStatus(
  demand: Demand,
  shares: ReadonlyMap<string, number>,
  inUse: ReadonlyMap<string, number>,
): ShareStatus {
  const used = inUse.get(demand.caller) ?? 0;
  const share = shares.get(demand.caller) ?? 0;
  return { ...demand, used, deficit: Math.max(0, share - used), withinShare: share === demand.slots };
}

/** Returns how many free slots a caller leaves to another one. */
function reservedFor(own: ShareStatus, other: ShareStatus): number {
  if (own.deficit === 0 || (other.withinShare && !own.withinShare)) return other.deficit;
  const hasFewerSlots =
    other.used < own.used || (other.used === own.used && other.lastServedAt < own.lastServedAt);
  return hasFewerSlots ? Math.min(1, other.deficit) : 0;
}
