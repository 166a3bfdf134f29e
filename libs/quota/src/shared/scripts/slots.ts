import { PRELUDE } from './prelude.js';

/** ARGV: a slot's id, for how long it stays taken, slots in all. */
export const RELEASE = `${PRELUDE}
if not isMember() then return { 'not-a-member' } end
local id, holdMs = ARGV[3], tonumber(ARGV[4])
local entry = redis.call('HGET', slots, id)
if entry then
  local expiresAt, caller = string.match(entry, '^(%S+) %d %S+ (.*)$')
  if tonumber(expiresAt) > now then writeLease(id, now + holdMs, caller, 0) end
end
return { 'ok', snapshot(activeLeases(), tonumber(ARGV[5]), recoveryWindow()) }
`;

/** ARGV: slots in all. */
export const REDUCE = `${PRELUDE}
if not isMember() then return { 'not-a-member' } end
local maxSlots = tonumber(ARGV[3])
local reducedAt = tonumber(redis.call('HGET', state, 'reducedAt'))
if reducedAt and now - reducedAt < WINDOW_MS then return { 0, (currentLimit(maxSlots)) } end
local reducedTo = math.max(1, math.floor(currentLimit(maxSlots) / 2))
redis.call('HSET', state, 'reducedTo', reducedTo, 'reducedAt', string.format('%.3f', now))
return { 1, reducedTo }
`;
