import { PRELUDE } from './prelude.js';

/** Arguments: lease id, caller, new calls, pending calls, 1 for a background call. */
export const ACQUIRE = `${PRELUDE}
if not isMember then return NOT_A_MEMBER end
local id, caller, newCalls, pendingCalls = ARGV[8], ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local isBackground = ARGV[12] == '1'
local leases = activeLeases()
local capacity = currentLimit()
local recoveryMs = recoveryWindow()
local period = math.floor(now / PERIOD_MS)

-- The demand of each caller, all of it and without background calls: fairness/demand-tracker.ts.
local function advance(records, kind)
  for name, demand in pairs(records) do
    demand.caller = name
    demand.spanStartedAt, demand.lastServedAt = math.min(demand.spanStartedAt, now), math.min(demand.lastServedAt, now)
    if demand.period ~= period then
      demand.previousPeak = demand.period == period - 1 and demand.currentPeak or 0
      demand.currentPeak, demand.period = 0, period
    end
    if name ~= caller and demand.previousPeak == 0 and demand.currentPeak == 0 then
      redis.call('HDEL', key, kind .. ':' .. name)
      records[name] = nil
    end
  end
end
local function recordRequest(records, inUse)
  local demand = records[caller] or {
    caller = caller, period = period, previousPeak = 0, currentPeak = 0, spanStartedAt = now, callsInSpan = 0,
    lastServedAt = -1,
  }
  records[caller] = demand
  if now - demand.spanStartedAt >= TYPICAL_HOLD_MS then demand.spanStartedAt, demand.callsInSpan = now, 0 end
  demand.callsInSpan = demand.callsInSpan + newCalls
  demand.currentPeak = math.max(demand.currentPeak, inUse + pendingCalls, demand.callsInSpan)
  return demand
end
local function format(demand)
  return string.format('%.0f %.0f %.0f %.3f %.0f %.3f', period, demand.previousPeak, demand.currentPeak,
    demand.spanStartedAt, demand.callsInSpan, demand.lastServedAt)
end
advance(demands, 'demand')
advance(foregrounds, 'foreground')
local requester = recordRequest(demands, leases.byCaller[caller] or 0)
local foregroundInUse, reserved = leases.foregroundByCaller[caller] or 0, 0
if not isBackground then
  recordRequest(foregrounds, foregroundInUse)
elseif foregrounds[caller] then
  local demand = foregrounds[caller]
  reserved = math.max(0, math.max(demand.previousPeak, demand.currentPeak) - foregroundInUse)
end
local active = {}
for _, demand in pairs(demands) do table.insert(active, demand) end
for _, demand in ipairs(active) do
  demand.slots, demand.used, demand.share = math.max(demand.previousPeak, demand.currentPeak), leases.byCaller[demand.caller] or 0, 0
end

-- The share of each caller: fairness/max-min-shares.ts.
local function byMostRecentlyServed(a, b)
  if a.lastServedAt ~= b.lastServedAt then return a.lastServedAt > b.lastServedAt end
  return a.caller > b.caller
end
table.sort(active, byMostRecentlyServed)
local eligible = {}
for index = math.max(1, #active - capacity + 1), #active do
  active[index].rank = index
  table.insert(eligible, active[index])
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
for _, demand in ipairs(active) do
  demand.deficit, demand.withinShare = math.max(0, demand.share - demand.used), demand.share == demand.slots
end

-- Whether the caller may lease one more slot: fairness/fair-share.ts.
local free = capacity - leases.count - reserved
for _, other in ipairs(active) do
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
  decision = (requester.deficit > 0 or #active == 1) and 'quota' or 'share'
elseif recoveryMs > 0 and leases.own >= own.fallbackSlots then
  decision = 'quota'
end
if decision == 'granted' then
  writeLease(id, {
    expiresAt = now + leaseMs, inFlight = true, isBackground = isBackground, stamp = state.stamp, owner = replica,
    caller = caller,
  })
  requester.lastServedAt = now
  table.insert(leases.expiresInMs, -1)
  leases.count = leases.count + 1
end
save('demand:' .. caller, format(requester))
if not isBackground then redis.call('HSET', key, 'foreground:' .. caller, format(foregrounds[caller])) end
return reply(decision, snapshot(leases, recoveryMs))
`;
