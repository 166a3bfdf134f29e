import { PRELUDE } from './prelude.js';

/** Arguments: lease id, caller, new calls, pending calls. */
export const ACQUIRE = `${PRELUDE}
if not isMember() then return NOT_A_MEMBER end
local id, caller, newCalls, pendingCalls = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local leases = activeLeases()
local capacity = currentLimit()
local recoveryMs = recoveryWindow()
local period = math.floor(now / PERIOD_MS)

-- The demand of each caller: fairness/demand-tracker.ts.
local demands = {}
local requester = {
  period = period, previousPeak = 0, currentPeak = 0, spanStartedAt = now, callsInSpan = 0, lastServedAt = -1,
}
for name, entry in each(demandsKey) do
  local demand = cjson.decode(entry)
  demand.caller = name
  if demand.period ~= period then
    demand.previousPeak = demand.period == period - 1 and demand.currentPeak or 0
    demand.currentPeak, demand.period = 0, period
  end
  if name == caller then
    requester = demand
  elseif demand.previousPeak > 0 or demand.currentPeak > 0 then
    table.insert(demands, demand)
  else
    redis.call('HDEL', demandsKey, name)
  end
end
if now - requester.spanStartedAt >= TYPICAL_HOLD_MS then requester.spanStartedAt, requester.callsInSpan = now, 0 end
requester.callsInSpan = requester.callsInSpan + newCalls
requester.currentPeak = math.max(requester.currentPeak, (leases.byCaller[caller] or 0) + pendingCalls, requester.callsInSpan)
requester.caller = caller
table.insert(demands, requester)
for _, demand in ipairs(demands) do
  demand.slots, demand.used, demand.share = math.max(demand.previousPeak, demand.currentPeak), leases.byCaller[demand.caller] or 0, 0
end

-- The share of each caller: fairness/max-min-shares.ts.
local function byMostRecentlyServed(a, b)
  if a.lastServedAt ~= b.lastServedAt then return a.lastServedAt > b.lastServedAt end
  return a.caller > b.caller
end
table.sort(demands, byMostRecentlyServed)
local eligible = {}
for index = math.max(1, #demands - capacity + 1), #demands do
  demands[index].rank = index
  table.insert(eligible, demands[index])
end
table.sort(eligible, function(a, b)
  if a.slots ~= b.slots then return a.slots < b.slots end
  return a.rank < b.rank
end)
local remaining = capacity
for index, demand in ipairs(eligible) do
  demand.share = math.min(demand.slots, math.floor(remaining / (#eligible - index + 1)))
  remaining = remaining - demand.share
end
for _, demand in ipairs(demands) do
  demand.deficit, demand.withinShare = math.max(0, demand.share - demand.used), demand.share == demand.slots
end

-- Whether the caller may lease one more slot: fairness/fair-share.ts.
local free = capacity - leases.count
for _, other in ipairs(demands) do
  if other ~= requester then
    if requester.deficit == 0 or (other.withinShare and not requester.withinShare) then
      free = free - other.deficit
    elseif other.used < requester.used or (other.used == requester.used and other.lastServedAt < requester.lastServedAt) then
      free = free - math.min(1, other.deficit)
    end
  end
end
local decision = 'granted'
if free <= 0 then
  decision = (requester.deficit > 0 or #demands == 1) and 'quota' or 'share'
elseif recoveryMs > 0 and leases.own >= own.fallbackSlots then
  decision = 'quota'
end
if decision == 'granted' then
  writeLease(id, now + leaseMs, caller, 1)
  requester.lastServedAt = now
  table.insert(leases.expiresInMs, -1)
  leases.count = leases.count + 1
end
redis.call('HSET', demandsKey, caller, cjson.encode({
  period = period, previousPeak = requester.previousPeak, currentPeak = requester.currentPeak,
  spanStartedAt = requester.spanStartedAt, callsInSpan = requester.callsInSpan, lastServedAt = requester.lastServedAt,
}))
redis.call('PEXPIRE', demandsKey, KEY_TTL_MS)
return { decision, snapshot(leases, recoveryMs) }
`;
