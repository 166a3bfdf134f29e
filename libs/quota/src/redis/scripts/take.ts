import { PRELUDE } from './prelude.js';

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
