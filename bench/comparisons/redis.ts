import { setTimeout as sleep } from 'node:timers/promises';
import { RedisProcess } from '../../test/support/redis.js';

/** A Redis that counts the scripts that gateways run in it for their calls. */
export class CountingRedis {
  #idlePerMs = 0;
  #countsSince = 0;

  private constructor(private readonly redis: RedisProcess) {}

  static async start(): Promise<CountingRedis> {
    return new CountingRedis(await RedisProcess.start());
  }

  get url(): string {
    return this.redis.url;
  }

  /** Counts the scripts that gateways run without calls, such as heartbeats. No call may be in flight. */
  async measureIdle(ms = 3000): Promise<void> {
    this.#idlePerMs = 0;
    await this.scriptCount();
    await sleep(ms);
    const scripts = await this.scriptCount();
    this.#idlePerMs = scripts / ms;
  }

  /** The calls of EVALSHA and EVAL since the last time, without the scripts that gateways run without calls. */
  async scriptCount(): Promise<number> {
    const info = await this.redis.command('INFO', 'commandstats');
    await this.redis.command('CONFIG', 'RESETSTAT');
    const now = performance.now();
    const idle = this.#idlePerMs * (now - this.#countsSince);
    this.#countsSince = now;
    const counts = Array.from(info.matchAll(/cmdstat_(?:evalsha|eval):calls=(\d+)/g), ([, n]) => Number(n));
    return counts.reduce((sum, count) => sum + count, 0) - idle;
  }

  stop(): Promise<void> {
    return this.redis.close();
  }
}
