import { RedisProcess } from '../../test/support/redis.js';

/** A Redis that counts its commands. */
export class CountingRedis {
  private constructor(private readonly redis: RedisProcess) {}

  static async start(): Promise<CountingRedis> {
    return new CountingRedis(await RedisProcess.start());
  }

  get url(): string {
    return this.redis.url;
  }

  /** The calls of each command since the last time, without the commands that scripts call. */
  async commandCounts(): Promise<Record<string, number>> {
    const info = await this.redis.command('INFO', 'commandstats');
    await this.redis.command('CONFIG', 'RESETSTAT');
    const lines = info.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g);
    return Object.fromEntries(Array.from(lines, ([, name, count]) => [name!, Number(count)]));
  }

  stop(): Promise<void> {
    return this.redis.close();
  }
}
