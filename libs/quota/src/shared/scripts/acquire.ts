import { PRELUDE } from './prelude.js';

/** The lease id of a command that leases nothing. */
export const NO_LEASE = '';

/**
 * Arguments: lease id, then caller, new calls, pending calls and 1 for a background call of each request. Only the first request is granted a
 * slot. Replies: the decision on each request, then the snapshot.
 */
export const ACQUIRE = `${PRELUDE}
if not isMember then return NOT_A_MEMBER end
local id, requests = ARGV[8], {}
for index = 9, #ARGV, 4 do
  table.insert(requests, {
    caller = ARGV[index], newCalls = tonumber(ARGV[index + 1]), pendingCalls = tonumber(ARGV[index + 2]),
    isBackground = ARGV[index + 3] == '1',
  })
end
local leases = activeLeases()
local capacity = currentLimit()
local recoveryMs = recoveryWindow()

-- The demand of each caller, all of it and without background calls: fairness/demand-tracker.ts.
local function recordRequest(records, request, inUse)
  local demand = records[request.caller] or {
    period = math.floor(now / PERIOD_MS), previousPeak = 0, currentPeak = 0, previousHold = 0, currentHold = 0,
    spanStartedAt = now, callsInSpan = 0, lastServedAt = -1,
  }
  records[request.caller] = demand
  local hold = math.max(demand.previousHold, demand.currentHold)
  if now - demand.spanStartedAt >= (hold > 0 and hold or INITIAL_HOLD_MS) then
    demand.spanStartedAt, demand.callsInSpan = now, 0
  end
  demand.callsInSpan = demand.callsInSpan + request.newCalls
  demand.currentPeak = math.max(demand.currentPeak, inUse + request.pendingCalls, demand.callsInSpan)
end
local function forgetUnused(records, kind)
  for caller, demand in pairs(records) do
    demand.caller, demand.slots = caller, math.max(demand.previousPeak, demand.currentPeak)
    if demand.slots == 0 then
      redis.call('HDEL', key, kind .. ':' .. caller)
      records[caller] = nil
    end
  end
end
for _, demand in pairs(demands) do advancePeriod(demand) end
for _, demand in pairs(foregrounds) do advancePeriod(demand) end
for _, request in ipairs(requests) do
  local caller = request.caller
  recordRequest(demands, request, leases.byCaller[caller] or 0)
  if not request.isBackground then recordRequest(foregrounds, request, leases.foregroundByCaller[caller] or 0) end
end
forgetUnused(demands, 'demand')
forgetUnused(foregrounds, 'foreground')
local active = {}
for _, demand in pairs(demands) do table.insert(active, demand) end

-- The share of each caller: fairness/max-min-shares.ts.
local function byMostRecentlyServed(a, b)
  if a.lastServedAt ~= b.lastServedAt then return a.lastServedAt > b.lastServedAt end
  return a.caller > b.caller
end
local function setShares()
  table.sort(active, byMostRecentlyServed)
  local eligible = {}
  for index, demand in ipairs(active) do
    demand.share, demand.rank = 0, index
    if index > #active - capacity then table.insert(eligible, demand) end
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
    demand.used = leases.byCaller[demand.caller] or 0
    demand.deficit, demand.withinShare = math.max(0, demand.share - demand.used), demand.share == demand.slots
  end
end

-- Whether a caller may lease one more slot: fairness/fair-share.ts.
local function decide(requester, reserved)
  local free = capacity - leases.count - reserved
  for _, other in ipairs(free > 0 and active or {}) do
    if other ~= requester then
      if requester.deficit == 0 or (other.withinShare and not requester.withinShare) then
        free = free - other.deficit
      elseif other.used < requester.used or (other.used == requester.used and other.lastServedAt < requester.lastServedAt) then
        free = free - math.min(1, other.deficit)
      end
    end
  end
  if free <= 0 then return (requester.deficit > 0 or #active == 1) and 'quota' or 'share' end
  if recoveryMs > 0 and leases.own >= own.fallbackSlots then return 'quota' end
  return 'granted'
end

local decisions = {}
setShares()
for index, request in ipairs(requests) do
  local caller = request.caller
  local requester, foreground, reserved = demands[caller], foregrounds[caller], 0
  if request.isBackground and foreground then
    reserved = math.max(0, foreground.slots - (leases.foregroundByCaller[caller] or 0))
  end
  decisions[index] = decide(requester, reserved)
  if index == 1 and id ~= '${NO_LEASE}' and decisions[1] == 'granted' then
    writeLease(id, {
      expiresAt = now + leaseMs, inFlight = true, isBackground = request.isBackground, stamp = state.stamp,
      owner = replica, caller = caller,
    })
    requester.lastServedAt = now
    table.insert(leases.expiresInMs, -1)
    leases.count, leases.own = leases.count + 1, leases.own + 1
    leases.byCaller[caller] = (leases.byCaller[caller] or 0) + 1
    if not request.isBackground then
      leases.foregroundByCaller[caller] = (leases.foregroundByCaller[caller] or 0) + 1
    end
    setShares()
  end
  writeDemand('demand', caller, requester)
  if not request.isBackground then writeDemand('foreground', caller, foreground) end
end
save()
for _, value in ipairs({ snapshot(leases, recoveryMs) }) do table.insert(decisions, value) end
return reply(unpack(decisions))
`;
