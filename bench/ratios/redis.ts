import { RedisProcess } from '../../test/support/redis.js';

/** A Redis of this benchmark's own that counts what it is asked. */
export class CountedRedis {
  private constructor(private readonly redis: RedisProcess) {}

  static async start(): Promise<CountedRedis> {
    return new CountedRedis(await RedisProcess.start());
  }

  get url(): string {
    return this.redis.url;
  }

  /** How often each command was called since the last time, scripts' own calls aside. */
  async calls(): Promise<Record<string, number>> {
    const info = await this.redis.command('INFO', 'commandstats');
    await this.redis.command('CONFIG', 'RESETSTAT');
    const lines = info.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g);
    return Object.fromEntries(Array.from(lines, ([, name, count]) => [name!, Number(count)]));
  }

  stop(): Promise<void> {
    return this.redis.close();
  }
}
