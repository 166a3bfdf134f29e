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
local SECOND, USUAL_HOLD, EPOCH, PAUSE = 1000, 1250, 2500, 5000
local CAUTION, LOOK_AGAIN, GONE_AFTER, LONGEST_LEASE, KEPT = 3000, 250, 5000, 64000, 120000
local slots, callers, replicas, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local replica, coming = ARGV[1], ARGV[2]
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
local function member(entry)
  if not entry then return nil end
  local was, seenAt, part, heard, since, joinedAt = string.match(entry, '(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
  return {
    coming = tonumber(was), seenAt = tonumber(seenAt), part = tonumber(part), heard = tonumber(heard),
    since = tonumber(since), joinedAt = tonumber(joinedAt),
  }
end

local own = member(redis.call('HGET', replicas, replica))

local function known()
  return own and own.coming == tonumber(coming)
end

local function newFor()
  return math.max(0, (tonumber(redis.call('HGET', state, 'newUntil')) or 0) - now)
end

-- For how long at most this replica gets no more than its part. Others may have lent slots that are not known here:
-- those that were not heard of since it came, if they can still come back.
local function cautiousFor()
  local left = own.joinedAt + CAUTION - now
  if left > 0 then
    local away = false
    for id, entry in each(replicas) do
      away = away or (id ~= replica and member(entry).heard < own.since)
    end
    if not away then left = 0 end
  end
  return math.max(0, left, newFor())
end

-- Says which part of the slots this replica may lend by itself, and keeps what it says of itself. What each keeps to
-- counts as its own until it says that it keeps to less, so all parts together are never more than there are.
local function standing(keeps, full)
  local count, others = 1, 0
  for id, entry in each(replicas) do
    if id ~= replica then
      count, others = count + 1, others + member(entry).part
    end
  end
  local part = math.max(0, math.min(math.floor(full / count), full - others))
  -- A new store does not know who keeps to what.
  if newFor() > 0 then part = math.min(part, keeps) end
  redis.call('HSET', replicas, replica, string.format('%d %.3f %d %d %d %.3f',
    own.coming, now, math.max(part, keeps), own.heard, own.since, own.joinedAt))
  redis.call('PEXPIRE', replicas, KEPT)
  redis.call('PEXPIRE', state, KEPT)
  return part, tonumber(redis.call('HGET', state, 'era')), math.ceil(newFor())
end

local function lease(id, freeAt, caller, flying)
  redis.call('HSET', slots, id, string.format('%.3f %d %s %s', freeAt, flying, replica, caller))
  redis.call('PEXPIRE', slots, KEPT)
end

-- Somebody else uses the quota: fewer slots for a while, and then one more each second.
local function allowance(full)
  local lowest = tonumber(redis.call('HGET', state, 'lowest'))
  if not lowest then return full, math.huge end
  local since = now - redis.call('HGET', state, 'loweredAt') - PAUSE
  local steps = math.max(0, math.floor(since / SECOND) + 1)
  if lowest + steps >= full then return full, math.huge end
  return lowest + steps, steps * SECOND - since
end

-- What is taken: in all, by this replica, by each caller; and in how long each is free, -1 while that is unknown.
local function taken()
  local all = { count = 0, own = 0, by = {}, freeIn = {}, next = math.huge }
  for id, entry in each(slots) do
    local at, flying, owner, caller = string.match(entry, '^(%S+) (%d) (%S+) (.*)$')
    local freeIn = tonumber(at) - now
    if freeIn > LONGEST_LEASE then
      -- The server's clock was set back.
      freeIn = LONGEST_LEASE
      redis.call('HSET', slots, id, string.format('%.3f %s %s %s', now + freeIn, flying, owner, caller))
    end
    if freeIn <= 0 then
      redis.call('HDEL', slots, id)
    else
      all.count = all.count + 1
      if owner == replica then all.own = all.own + 1 end
      all.by[caller] = (all.by[caller] or 0) + 1
      table.insert(all.freeIn, flying == '1' and -1 or math.ceil(freeIn))
      all.next = math.min(all.next, flying == '1' and SECOND + 1 or freeIn)
    end
  end
  return all
end

local function view(all, full, cautious)
  local capacity, step = allowance(full)
  local change = math.min(all.next, step, SECOND + 1)
  if all.count < capacity then change = math.min(change, EPOCH - now % EPOCH) end
  if cautious > 0 then change = math.min(change, cautious, LOOK_AGAIN) end
  return capacity, math.ceil(change), unpack(all.freeIn)
end
`;
