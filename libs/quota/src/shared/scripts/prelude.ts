/*
 * Redis executes each script as one atomic step. The scripts are the Lua version of fairness/demand-tracker.ts,
 * fairness/max-min-shares.ts, fairness/fair-share.ts and local/adaptive-limit.ts. redis-slot-store.property.spec.ts
 * compares both versions. Slots and members are few, so plain loops are enough.
 *
 * KEYS:
 * 1. The store: one hash, so that its parts cannot vanish separately. Its fields:
 *    - slot:<lease id> → "expiresAt inFlight isBackground stamp replica caller"
 *    - demand:<caller> → "period previousPeak currentPeak previousHold currentHold spanStartedAt callsInSpan lastServedAt"
 *    - foreground:<caller> → the same without background calls
 *    - member:<replica> → "incarnation lastSeenAt fallbackSlots acknowledgedEpoch joinEpoch joinedAt"
 *    - clock, stamp, proven, epoch, warmupUntil, reducedTo, reducedAt → number
 * 2. The members of the previous layout, which held the store in four keys.
 *
 * ARGV: replica, number of slots, longest lease in milliseconds, incarnation, the three numbers of a StoreClock, then
 * the arguments of the script. Replies: the clock and the latest stamp, then the result.
 */

/** The reply if the store contained data that no script wrote. The script has deleted it. */
export const INVALID_DATA = 'invalid-data';

/** The first part of every script. */
export const PRELUDE = `
local WINDOW_MS, INITIAL_HOLD_MS, PERIOD_MS, RECOVERY_DELAY_MS = 1000, 1250, 2500, 5000
local RECOVERY_WINDOW_MS, POLL_INTERVAL_MS, MEMBER_TIMEOUT_MS, KEY_TTL_MS = 3000, 250, 5000, 3600000
local MAX_LEASE_MS, MAX_HOLD_MS, MIN_UNPROVEN_MS, MAX_FIELDS = 64000, 3000, 1, 50000
local key, previousMembersKey = KEYS[1], KEYS[2]
local replica, maxSlots, leaseMs, incarnation = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local claimed, observed, proven = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local NOT_A_MEMBER = { 'not-a-member' }

local slots, demands, foregrounds, members, state = {}, {}, {}, {}, {}

local function number(text)
  local value = tonumber(text)
  assert(value and value >= -1 and value < 1e15)
  return value
end

local function numbers(text, ...)
  local result, index = {}, 0
  for value in string.gmatch(text, '%S+') do
    index = index + 1
    result[assert((select(index, ...)))] = number(value)
  end
  assert(index == select('#', ...))
  return result
end

local function parse(fields)
  assert(#fields <= MAX_FIELDS)
  for index = 1, #fields, 2 do
    local field, value = fields[index], fields[index + 1]
    local kind, name = string.match(field, '^(%l+):(.*)$')
    if kind == 'slot' then
      local expiresAt, inFlight, isBackground, stamp, owner, caller =
        string.match(value, '^(%S+) ([01]) ([01]) (%S+) (%S+) (.*)$')
      slots[name] = {
        expiresAt = number(expiresAt), inFlight = inFlight == '1', isBackground = isBackground == '1',
        stamp = number(stamp), owner = owner, caller = caller,
      }
    elseif kind == 'demand' or kind == 'foreground' then
      local records = kind == 'demand' and demands or foregrounds
      records[name] = numbers(value, 'period', 'previousPeak', 'currentPeak', 'previousHold', 'currentHold',
        'spanStartedAt', 'callsInSpan', 'lastServedAt')
    elseif kind == 'member' then
      members[name] = numbers(value, 'incarnation', 'lastSeenAt', 'fallbackSlots', 'acknowledgedEpoch', 'joinEpoch', 'joinedAt')
    else
      assert(not kind)
      state[field] = number(value)
    end
  end
  assert(#fields == 0 or (state.clock and state.stamp and state.proven and state.epoch))
end

local fields = redis.pcall('HGETALL', key)
local isHash = not fields.err
if not isHash and not string.find(fields.err, 'WRONGTYPE') then return fields end
if not isHash or not pcall(parse, fields) then
  redis.call('DEL', key)
  return { '${INVALID_DATA}' }
end

local own = members[replica]
-- If this replica has seen a later stamp than the store has, the store has lost writes.
local isMember = own and own.incarnation == incarnation and observed <= state.stamp

-- The time of the server only starts the clock of a new store, where any number will do.
if not state.clock then
  local time = redis.call('TIME')
  state.clock, state.stamp, state.proven, state.epoch = time[1] * 1000, time[1] * 1000, 0, 0
end
-- The clock of the store: the longest time that a member has proven.
local now = isMember and math.max(state.clock, claimed) or state.clock
if isMember then state.proven = math.max(state.proven, proven) end
if own then own.joinedAt = math.min(own.joinedAt, now) end

-- Replicas of the previous layout do not see these slots, so the store stays new until the last one has left.
if redis.call('EXISTS', previousMembersKey) == 1 then state.warmupUntil = math.huge end
state.warmupUntil = math.min(state.warmupUntil or 0, now + RECOVERY_WINDOW_MS)
state.reducedAt = state.reducedAt and math.min(state.reducedAt, now)
local warmupMs = math.max(0, state.warmupUntil - now)

local function save(...)
  redis.call('HSET', key, 'clock', string.format('%.3f', now), 'stamp', string.format('%.0f', state.stamp),
    'proven', string.format('%.0f', state.proven), 'epoch', state.epoch,
    'warmupUntil', string.format('%.3f', state.warmupUntil), ...)
  if state.reducedAt then redis.call('HSET', key, 'reducedAt', string.format('%.3f', state.reducedAt)) end
end

local function reply(...)
  return { math.floor(now), state.stamp, ... }
end

local function writeMember(id, member)
  redis.call('HSET', key, 'member:' .. id, string.format('%.0f %.3f %.0f %.0f %.0f %.3f', member.incarnation,
    member.lastSeenAt, member.fallbackSlots, member.acknowledgedEpoch, member.joinEpoch, member.joinedAt))
end

-- Returns for how long this replica is granted no more than its fallback slots. Other members may hold leases that are
-- not registered here. A member has registered them when it acknowledges the epoch that began when this replica joined,
-- or a later one. A member that does not do so within the recovery window has ended or is cut off.
local function recoveryWindow()
  local hasUnseenMember = false
  for id, member in pairs(members) do
    hasUnseenMember = hasUnseenMember or (id ~= replica and member.acknowledgedEpoch < own.joinEpoch)
  end
  return math.max(0, hasUnseenMember and own.joinedAt + RECOVERY_WINDOW_MS - now or 0, warmupMs)
end

local function nextStamp()
  state.stamp = math.max(state.stamp + 1, math.ceil(now))
  return state.stamp
end

local function writeLease(id, lease)
  slots[id] = lease
  redis.call('HSET', key, 'slot:' .. id, string.format('%.3f %d %d %.0f %s %s', lease.expiresAt,
    lease.inFlight and 1 or 0, lease.isBackground and 1 or 0, lease.stamp, lease.owner, lease.caller))
end

-- Starts a new period of a caller's demand if it is due: fairness/demand-tracker.ts.
local function advancePeriod(demand)
  local period = math.floor(now / PERIOD_MS)
  demand.spanStartedAt, demand.lastServedAt = math.min(demand.spanStartedAt, now), math.min(demand.lastServedAt, now)
  if demand.period == period then return end
  local isNext = demand.period == period - 1
  demand.previousPeak, demand.previousHold = isNext and demand.currentPeak or 0, isNext and demand.currentHold or 0
  demand.currentPeak, demand.currentHold, demand.period = 0, 0, period
end

local function writeDemand(kind, caller, demand)
  redis.call('HSET', key, kind .. ':' .. caller, string.format('%.0f %.0f %.0f %.3f %.3f %.3f %.0f %.3f', demand.period,
    demand.previousPeak, demand.currentPeak, demand.previousHold, demand.currentHold, demand.spanStartedAt,
    demand.callsInSpan, demand.lastServedAt))
end

-- Returns the capacity, and in how many milliseconds it grows next.
local function currentLimit()
  if not (state.reducedTo and state.reducedAt) then return maxSlots, math.huge end
  local elapsed = now - state.reducedAt - RECOVERY_DELAY_MS
  local increases = math.max(0, math.floor(elapsed / WINDOW_MS) + 1)
  local capacity = math.max(1, math.floor(state.reducedTo)) + increases
  if capacity >= maxSlots then return maxSlots, math.huge end
  return capacity, increases * WINDOW_MS - elapsed
end

-- Returns the number of leases: all, of this replica, by caller, by caller without background calls; and when each
-- expires, -1 while it is in flight.
local function activeLeases()
  local leases = {
    count = 0, own = 0, byCaller = {}, foregroundByCaller = {}, expiresInMs = {}, nextExpiryMs = math.huge,
  }
  for id, lease in pairs(slots) do
    local expiresInMs, bound = lease.expiresAt - now, lease.inFlight and MAX_LEASE_MS or MAX_HOLD_MS
    if expiresInMs > bound then
      expiresInMs = bound
      lease.expiresAt = now + bound
      writeLease(id, lease)
    end
    -- The clock can make up for time at once. So a replica must also have seen the release one second ago.
    if not lease.inFlight and lease.stamp > state.proven then expiresInMs = math.max(expiresInMs, MIN_UNPROVEN_MS) end
    if expiresInMs <= 0 then
      redis.call('HDEL', key, 'slot:' .. id)
    else
      leases.count = leases.count + 1
      if lease.owner == replica then leases.own = leases.own + 1 end
      leases.byCaller[lease.caller] = (leases.byCaller[lease.caller] or 0) + 1
      if not lease.isBackground then
        leases.foregroundByCaller[lease.caller] = (leases.foregroundByCaller[lease.caller] or 0) + 1
      end
      table.insert(leases.expiresInMs, lease.inFlight and -1 or math.ceil(expiresInMs))
      leases.nextExpiryMs = math.min(leases.nextExpiryMs, lease.inFlight and WINDOW_MS + 1 or expiresInMs)
    end
  end
  return leases
end

local function snapshot(leases, recoveryMs)
  local capacity, nextIncreaseMs = currentLimit()
  local nextChangeMs = math.min(leases.nextExpiryMs, nextIncreaseMs, WINDOW_MS + 1)
  if leases.count < capacity then nextChangeMs = math.min(nextChangeMs, PERIOD_MS - now % PERIOD_MS) end
  if recoveryMs > 0 then nextChangeMs = math.min(nextChangeMs, recoveryMs, POLL_INTERVAL_MS) end
  return capacity, math.ceil(nextChangeMs), unpack(leases.expiresInMs)
end

-- Assigns fallback slots to this replica and writes its member entry. "used" is the number that the replica uses now.
-- The entry counts the larger number until the replica acknowledges the smaller one. So the fallback slots of all
-- replicas never exceed the total.
local function updateMembership(used)
  local count, others = 1, 0
  for id, member in pairs(members) do
    if id ~= replica then
      count, others = count + 1, others + member.fallbackSlots
    end
  end
  local fallbackSlots = math.max(0, math.min(math.floor(maxSlots / count), maxSlots - others))
  local recoveryMs = recoveryWindow()
  -- A store that is new, or that has lost writes, does not know the fallback slots of other replicas yet.
  if recoveryMs > 0 then fallbackSlots = math.min(fallbackSlots, used) end
  own.lastSeenAt, own.fallbackSlots = now, math.max(fallbackSlots, used)
  save()
  writeMember(replica, own)
  redis.call('PEXPIRE', key, KEY_TTL_MS)
  return reply(fallbackSlots, state.epoch, math.ceil(warmupMs), snapshot(activeLeases(), recoveryMs))
end
`;
