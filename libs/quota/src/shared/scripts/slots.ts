import { PRELUDE } from './prelude.js';

/** Arguments: lease id, hold in milliseconds. */
export const RELEASE = `${PRELUDE}
if not isMember() then return NOT_A_MEMBER end
local id, holdMs = ARGV[5], tonumber(ARGV[6])
local entry = redis.call('HGET', slotsKey, id)
if entry then
  local expiresAt, caller = string.match(entry, '^(%S+) %d %S+ (.*)$')
  if tonumber(expiresAt) > now then writeLease(id, now + holdMs, caller, 0) end
end
return { snapshot(activeLeases(), recoveryWindow()) }
`;

export const REDUCE = `${PRELUDE}
if not isMember() then return NOT_A_MEMBER end
local capacity = currentLimit()
local reducedAt = tonumber(redis.call('HGET', stateKey, 'reducedAt'))
if reducedAt and now - reducedAt < WINDOW_MS then return { 0, capacity } end
local reducedTo = math.max(1, math.floor(capacity / 2))
redis.call('HSET', stateKey, 'reducedTo', reducedTo, 'reducedAt', string.format('%.3f', now))
return { 1, reducedTo }
`;
