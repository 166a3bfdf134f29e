import { PRELUDE } from './prelude.js';

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
