/*
 * The scripts that Redis runs: each one atomic step on its own clock. They say in Lua what fair-share.ts,
 * max-min-shares.ts, wishes.ts, allowance.ts and earliest.ts say for one process; redis-slot-store.spec.ts holds
 * the two side by side. Numbers of members and slots are small: plain loops over hashes are enough.
 *
 * KEYS: slots (id → lease), callers (name → wish), replicas (id → member), state. ARGV: replica, coming, then each
 * script's own.
 */

/** What every script begins with. */
export const PRELUDE = `
local WINDOW_MS, TYPICAL_HOLD_MS, PERIOD_MS, RECOVERY_DELAY_MS = 1000, 1250, 2500, 5000
local RECOVERY_WINDOW_MS, POLL_INTERVAL_MS, MEMBER_TIMEOUT_MS, MAX_LEASE_MS, KEY_TTL_MS = 3000, 250, 5000, 64000, 120000
local slots, demandsKey, members, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local replica, incarnation = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

local function each(key)
  local flat, index = redis.call('HGETALL', key), -1
  return function()
    index = index + 2
    return flat[index], flat[index + 1]
  end
end

-- Of a replica: its coming, when it was seen last, the part that it keeps to, the era that it has heard, and the era
-- and the time of its coming.
local function parseMember(entry)
  if not entry then return nil end
  local incarnation, lastSeenAt, fallbackSlots, acknowledgedEpoch, joinEpoch, joinedAt = string.match(entry, '(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
  return {
    incarnation = tonumber(incarnation), lastSeenAt = tonumber(lastSeenAt), fallbackSlots = tonumber(fallbackSlots), acknowledgedEpoch = tonumber(acknowledgedEpoch),
    joinEpoch = tonumber(joinEpoch), joinedAt = tonumber(joinedAt),
  }
end

local own = parseMember(redis.call('HGET', members, replica))

local function isMember()
  return own and own.incarnation == tonumber(incarnation)
end

local function warmupMs()
  return math.max(0, (tonumber(redis.call('HGET', state, 'warmupUntil')) or 0) - now)
end

-- For how long at most this replica gets no more than its part. Others may have lent slots that are not known here:
-- those that were not heard of since it came, if they can still come back.
local function recoveryWindow()
  local remaining = own.joinedAt + RECOVERY_WINDOW_MS - now
  if remaining > 0 then
    local hasUnseenMember = false
    for id, entry in each(members) do
      hasUnseenMember = hasUnseenMember or (id ~= replica and parseMember(entry).acknowledgedEpoch < own.joinEpoch)
    end
    if not hasUnseenMember then remaining = 0 end
  end
  return math.max(0, remaining, warmupMs())
end

-- Says which part of the slots this replica may lend by itself, and keeps what it says of itself. What each keeps to
-- counts as its own until it says that it keeps to less, so all parts together are never more than there are.
local function updateMembership(claimed, maxSlots)
  local count, others = 1, 0
  for id, entry in each(members) do
    if id ~= replica then
      count, others = count + 1, others + parseMember(entry).fallbackSlots
    end
  end
  local fallbackSlots = math.max(0, math.min(math.floor(maxSlots / count), maxSlots - others))
  -- A new store does not know who keeps to what.
  if warmupMs() > 0 then fallbackSlots = math.min(fallbackSlots, claimed) end
  redis.call('HSET', members, replica, string.format('%d %.3f %d %d %d %.3f',
    own.incarnation, now, math.max(fallbackSlots, claimed), own.acknowledgedEpoch, own.joinEpoch, own.joinedAt))
  redis.call('PEXPIRE', members, KEY_TTL_MS)
  redis.call('PEXPIRE', state, KEY_TTL_MS)
  return fallbackSlots, tonumber(redis.call('HGET', state, 'epoch')), math.ceil(warmupMs())
end

local function writeLease(id, expiresAt, caller, inFlight)
  redis.call('HSET', slots, id, string.format('%.3f %d %s %s', expiresAt, inFlight, replica, caller))
  redis.call('PEXPIRE', slots, KEY_TTL_MS)
end

-- Somebody else uses the quota: fewer slots for a while, and then one more each second.
local function currentLimit(maxSlots)
  local reducedTo = tonumber(redis.call('HGET', state, 'reducedTo'))
  if not reducedTo then return maxSlots, math.huge end
  local elapsed = now - redis.call('HGET', state, 'reducedAt') - RECOVERY_DELAY_MS
  local increases = math.max(0, math.floor(elapsed / WINDOW_MS) + 1)
  if reducedTo + increases >= maxSlots then return maxSlots, math.huge end
  return reducedTo + increases, increases * WINDOW_MS - elapsed
end

-- What is taken: in all, by this replica, by each caller; and in how long each is free, -1 while that is unknown.
local function activeLeases()
  local leases = { count = 0, own = 0, byCaller = {}, expiresInMs = {}, nextExpiryMs = math.huge }
  for id, entry in each(slots) do
    local at, inFlight, owner, caller = string.match(entry, '^(%S+) (%d) (%S+) (.*)$')
    local expiresInMs = tonumber(at) - now
    if expiresInMs > MAX_LEASE_MS then
      -- The server's clock was set back.
      expiresInMs = MAX_LEASE_MS
      redis.call('HSET', slots, id, string.format('%.3f %s %s %s', now + expiresInMs, inFlight, owner, caller))
    end
    if expiresInMs <= 0 then
      redis.call('HDEL', slots, id)
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

local function snapshot(leases, maxSlots, recoveryMs)
  local capacity, nextIncreaseMs = currentLimit(maxSlots)
  local nextChangeMs = math.min(leases.nextExpiryMs, nextIncreaseMs, WINDOW_MS + 1)
  if leases.count < capacity then nextChangeMs = math.min(nextChangeMs, PERIOD_MS - now % PERIOD_MS) end
  if recoveryMs > 0 then nextChangeMs = math.min(nextChangeMs, recoveryMs, POLL_INTERVAL_MS) end
  return capacity, math.ceil(nextChangeMs), unpack(leases.expiresInMs)
end
`;
