/*
 * The scripts that Redis runs: each one atomic step on its own clock. They say in Lua what fair-share.ts,
 * max-min-shares.ts, wishes.ts, allowance.ts and earliest.ts say for one process; redis-slot-store.spec.ts holds
 * the two side by side. Numbers of members and slots are small: plain loops over hashes are enough.
 *
 * KEYS: slots (id → lease), callers (name → wish), replicas (id → member), state. ARGV: replica, coming, then each
 * script's own.
 */

const PRELUDE = `
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

/** ARGV: a slot's id, caller, fresh, wanted, slots in all, how long it is lent at most. */
export const TAKE = `${PRELUDE}
if not known() then return { 'stranger' } end
local id, caller, fresh, wanted = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local full, longest = tonumber(ARGV[7]), tonumber(ARGV[8])
local all = taken()
local capacity = allowance(full)
local cautious = cautiousFor()
local epoch = math.floor(now / EPOCH)

local function write(wish)
  redis.call('HSET', callers, wish.caller, string.format('%d %d %d %.3f %d %.3f',
    wish.epoch, wish.before, wish.most, wish.spanFrom, wish.calls, wish.servedAt))
  redis.call('PEXPIRE', callers, KEPT)
end

-- Wishes.
local wishes, asking = {}, { caller = caller, epoch = epoch, before = 0, most = 0, spanFrom = now, calls = 0, servedAt = -1 }
for name, entry in each(callers) do
  local was, before, most, spanFrom, calls, servedAt = string.match(entry, '(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
  local wish = {
    caller = name, epoch = tonumber(was), before = tonumber(before), most = tonumber(most),
    spanFrom = tonumber(spanFrom), calls = tonumber(calls), servedAt = tonumber(servedAt),
  }
  if wish.epoch ~= epoch then
    wish.before = wish.epoch == epoch - 1 and wish.most or 0
    wish.most, wish.epoch = 0, epoch
  end
  if name == caller then
    asking = wish
  elseif wish.before > 0 or wish.most > 0 then
    table.insert(wishes, wish)
  else
    redis.call('HDEL', callers, name)
  end
end
if now - asking.spanFrom >= USUAL_HOLD then asking.spanFrom, asking.calls = now, 0 end
asking.calls = asking.calls + fresh
asking.most = math.max(asking.most, (all.by[caller] or 0) + wanted, asking.calls)
table.insert(wishes, asking)
for _, wish in ipairs(wishes) do
  wish.slots, wish.used, wish.share = math.max(wish.before, wish.most), all.by[wish.caller] or 0, 0
end

-- Shares.
local function byTurn(a, b)
  if a.servedAt ~= b.servedAt then return a.servedAt > b.servedAt end
  return a.caller > b.caller
end
table.sort(wishes, byTurn)
local served = {}
for index = math.max(1, #wishes - capacity + 1), #wishes do
  wishes[index].turn = index
  table.insert(served, wishes[index])
end
table.sort(served, function(a, b)
  if a.slots ~= b.slots then return a.slots < b.slots end
  return a.turn < b.turn
end)
local left = capacity
for index, wish in ipairs(served) do
  wish.share = math.min(wish.slots, math.floor(left / (#served - index + 1)))
  left = left - wish.share
end
for _, wish in ipairs(wishes) do
  wish.missing, wish.modest = math.max(0, wish.share - wish.used), wish.share == wish.slots
end

-- Whether this caller may take one more.
local free = capacity - all.count
for _, other in ipairs(wishes) do
  if other ~= asking then
    if asking.missing == 0 or (other.modest and not asking.modest) then
      free = free - other.missing
    elseif other.used < asking.used or (other.used == asking.used and other.servedAt < asking.servedAt) then
      free = free - math.min(1, other.missing)
    end
  end
end
local verdict = 'granted'
if free <= 0 then
  verdict = (asking.missing > 0 or #wishes == 1) and 'quota' or 'share'
elseif cautious > 0 and all.own >= own.part then
  verdict = 'quota'
end
if verdict == 'granted' then
  lease(id, now + longest, caller, 1)
  asking.servedAt = now
  table.insert(all.freeIn, -1)
  all.count = all.count + 1
end
write(asking)
return { verdict, view(all, full, cautious) }
`;

/** ARGV: a slot's id, for how long it stays taken, slots in all. */
export const GIVE_BACK = `${PRELUDE}
if not known() then return { 'stranger' } end
local id, held = ARGV[3], tonumber(ARGV[4])
local entry = redis.call('HGET', slots, id)
if entry then
  local freeAt, caller = string.match(entry, '^(%S+) %d %S+ (.*)$')
  if tonumber(freeAt) > now then lease(id, now + held, caller, 0) end
end
return { 'known', view(taken(), tonumber(ARGV[5]), cautiousFor()) }
`;

/** ARGV: the part that the replica keeps to, slots in all, how long a slot is lent at most, then id, caller and time of each. */
export const JOIN = `${PRELUDE}
local keeps, full, longest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if own and own.coming > tonumber(coming) then return { 0, 0, 0 } end
if redis.call('EXISTS', state) == 0 then
  redis.call('HSET', state, 'newUntil', string.format('%.3f', now + CAUTION))
end
for id, taken in each(slots) do
  if string.match(taken, '^%S+ %d (%S+) ') == replica then redis.call('HDEL', slots, id) end
end
for index = 6, #ARGV, 3 do
  local held = tonumber(ARGV[index + 2])
  lease(ARGV[index], now + (held < 0 and longest or held), ARGV[index + 1], held < 0 and 1 or 0)
end
own = { coming = coming, heard = 0, since = redis.call('HINCRBY', state, 'era', 1), joinedAt = now }
return { standing(keeps, full) }
`;

/** ARGV: the part that the replica keeps to, the era that it has heard, slots in all. */
export const BEAT = `${PRELUDE}
if not known() then return { 'stranger' } end
own.heard = tonumber(ARGV[4])
-- Who has just come does not say who is gone: the others may have been away as long.
if now - own.joinedAt >= CAUTION and newFor() == 0 then
  for id, entry in each(replicas) do
    if id ~= replica and now - member(entry).seenAt > GONE_AFTER then redis.call('HDEL', replicas, id) end
  end
end
return { 'known', standing(tonumber(ARGV[3]), tonumber(ARGV[5])) }
`;

/** ARGV: slots in all. */
export const LOWER = `${PRELUDE}
if not known() then return { 'stranger' } end
local full = tonumber(ARGV[3])
local loweredAt = tonumber(redis.call('HGET', state, 'loweredAt'))
if loweredAt and now - loweredAt < SECOND then return { 0, (allowance(full)) } end
local lowest = math.max(1, math.floor(allowance(full) / 2))
redis.call('HSET', state, 'lowest', lowest, 'loweredAt', string.format('%.3f', now))
return { 1, lowest }
`;

export const LEAVE = `${PRELUDE}
redis.call('HDEL', replicas, replica)
return {}
`;
