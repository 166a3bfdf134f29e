import type { Redis } from 'ioredis';

/** Removes a member, unless one of the keys of its caller still exists. */
const REMOVE_UNUSED = `
for i = 2, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end end
return redis.call('SREM', KEYS[1], ARGV[1])`;

/** A set in Redis of the callers that may have stops in some state. */
export class CallerSet {
  constructor(
    private readonly redis: Redis,
    readonly key: string,
  ) {}

  members(): Promise<string[]> {
    return this.redis.smembers(this.key);
  }

  /** Removes a caller if none of these keys exists. Returns whether it was removed. */
  async removeUnused(caller: string, keys: readonly string[]): Promise<boolean> {
    return (await this.redis.eval(REMOVE_UNUSED, keys.length + 1, this.key, ...keys, caller)) === 1;
  }
}
