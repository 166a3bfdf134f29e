/*
 * Redis executes each script as one atomic step on its own clock. The scripts are the Lua version of
 * fairness/demand-tracker.ts, fairness/max-min-shares.ts, fairness/fair-share.ts and local/adaptive-limit.ts.
 * redis-slot-store.property.spec.ts compares both versions. Slots and members are few, so plain loops over hashes are
 * enough.
 *
 * KEYS: four hashes.
 * - slots: lease id → "expiresAt inFlight replica caller"
 * - demands: caller → JSON of period, previousPeak, currentPeak, spanStartedAt, callsInSpan, lastServedAt
 * - members: replica → JSON of incarnation, lastSeenAt, fallbackSlots, acknowledgedEpoch, joinEpoch, joinedAt
 * - state: epoch, warmupUntil, reducedTo, reducedAt
 *
 * ARGV: replica, number of slots, longest lease in milliseconds, incarnation, then the arguments of the script.
 */

/** The first part of every script. */
export const PRELUDE = `
local WINDOW_MS, TYPICAL_HOLD_MS, PERIOD_MS, RECOVERY_DELAY_MS = 1000, 1250, 2500, 5000
local RECOVERY_WINDOW_MS, POLL_INTERVAL_MS, MEMBER_TIMEOUT_MS, MAX_LEASE_MS, KEY_TTL_MS = 3000, 250, 5000, 64000, 120000
local slotsKey, demandsKey, membersKey, stateKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local replica, maxSlots, leaseMs, incarnation = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

local function each(key)
  local flat, index = redis.call('HGETALL', key), -1
  return function()
    index = index + 2
    return flat[index], flat[index + 1]
  end
end

local ownEntry = redis.call('HGET', membersKey, replica)
local own = ownEntry and cjson.decode(ownEntry)
local NOT_A_MEMBER = { 'not-a-member' }

local function isMember()
  return own and own.incarnation == incarnation
end

local function warmupMs()
  return math.max(0, (tonumber(redis.call('HGET', stateKey, 'warmupUntil')) or 0) - now)
end

-- Returns for how long this replica is granted no more than its fallback slots. Other members may hold leases that are
-- not registered here. A member has registered them when it acknowledges the epoch that began when this replica joined,
-- or a later one. A member that does not do so within the recovery window has ended or is cut off.
local function recoveryWindow()
  local remaining = own.joinedAt + RECOVERY_WINDOW_MS - now
  if remaining > 0 then
    local hasUnseenMember = false
    for id, entry in each(membersKey) do
      hasUnseenMember = hasUnseenMember or (id ~= replica and cjson.decode(entry).acknowledgedEpoch < own.joinEpoch)
    end
    if not hasUnseenMember then remaining = 0 end
  end
  return math.max(0, remaining, warmupMs())
end

-- Assigns fallback slots to this replica and writes its member entry. "claimed" is the number that the replica uses
-- now. The entry counts the larger number until the replica acknowledges the smaller one. So the fallback slots of all
-- replicas never exceed the total.
local function updateMembership(claimed)
  local count, others = 1, 0
  for id, entry in each(membersKey) do
    if id ~= replica then
      count, others = count + 1, others + cjson.decode(entry).fallbackSlots
    end
  end
  local fallbackSlots = math.max(0, math.min(math.floor(maxSlots / count), maxSlots - others))
  -- A new store does not know the fallback slots of other replicas yet.
  if warmupMs() > 0 then fallbackSlots = math.min(fallbackSlots, claimed) end
  own.lastSeenAt, own.fallbackSlots = now, math.max(fallbackSlots, claimed)
  redis.call('HSET', membersKey, replica, cjson.encode(own))
  redis.call('PEXPIRE', membersKey, KEY_TTL_MS)
  redis.call('PEXPIRE', stateKey, KEY_TTL_MS)
  return fallbackSlots, tonumber(redis.call('HGET', stateKey, 'epoch')), math.ceil(warmupMs())
end

local function writeLease(id, expiresAt, caller, inFlight)
  redis.call('HSET', slotsKey, id, string.format('%.3f %d %s %s', expiresAt, inFlight, replica, caller))
  redis.call('PEXPIRE', slotsKey, KEY_TTL_MS)
end

-- Returns the capacity, and in how many milliseconds it grows next.
local function currentLimit()
  local reducedTo = tonumber(redis.call('HGET', stateKey, 'reducedTo'))
  if not reducedTo then return maxSlots, math.huge end
  local elapsed = now - redis.call('HGET', stateKey, 'reducedAt') - RECOVERY_DELAY_MS
  local increases = math.max(0, math.floor(elapsed / WINDOW_MS) + 1)
  if reducedTo + increases >= maxSlots then return maxSlots, math.huge end
  return reducedTo + increases, increases * WINDOW_MS - elapsed
end

-- Returns the number of leases: all, of this replica, by caller; and when each expires, -1 while it is in flight.
local function activeLeases()
  local leases = { count = 0, own = 0, byCaller = {}, expiresInMs = {}, nextExpiryMs = math.huge }
  for id, entry in each(slotsKey) do
    local expiresAt, inFlight, owner, caller = string.match(entry, '^(%S+) (%d) (%S+) (.*)$')
    local expiresInMs = tonumber(expiresAt) - now
    if expiresInMs > MAX_LEASE_MS then
      -- The clock of the server was set back.
      expiresInMs = MAX_LEASE_MS
      redis.call('HSET', slotsKey, id, string.format('%.3f %s %s %s', now + expiresInMs, inFlight, owner, caller))
    end
    if expiresInMs <= 0 then
      redis.call('HDEL', slotsKey, id)
    else
      leases.count = leases.count + 1
      if owner == replica then leases.own = leases.own + 1 end
      leases.byCaller[caller] = (leases.byCaller[caller] or 0) + 1
      table.insert(leases.expiresInMs, inFlight == '1' and -1 or math.ceil(expiresInMs))
      leases.nextExpiryMs = math.min(leases.nextExpiryMs, inFlight == '1' and WINDOW_MS + 1 or expiresInMs)
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
`;
