import { describe, expect, it } from '@jest/globals';
import { BacklogClock } from './backlog-clock.js';

/** The script of the clock, in JavaScript. */
class FakeRedis {
  stored = 0;

  eval = async (_script: unknown, _keys: unknown, _key: unknown, proved: unknown): Promise<string> => {
    this.stored = Math.max(this.stored, Number(proved));
    return String(this.stored);
  };
}

function join(redis: FakeRedis): { readonly clock: BacklogClock; readonly live: (ms: number) => void } {
  let now = 1000 * Math.random();
  const clock = new BacklogClock(redis as never, 'clock', { now: () => now });
  return { clock, live: (ms) => void (now += ms) };
}

describe('BacklogClock', () => {
  it('advances by the time that the replicas have lived together', async () => {
    const redis = new FakeRedis();
    const [first, second] = [join(redis), join(redis)];
    await first.clock.synchronize();
    first.live(5000);
    await first.clock.synchronize();
    await second.clock.synchronize();
    expect(second.clock.now()).toBeGreaterThanOrEqual(4999);
    second.live(3000);
    first.live(3000);
    await second.clock.synchronize();
    await first.clock.synchronize();
    expect(first.clock.now()).toBeLessThanOrEqual(8000);
    expect(first.clock.now()).toBeGreaterThanOrEqual(7998);
  });

  it('stands still while no replica runs, and does not go back', async () => {
    const redis = new FakeRedis();
    redis.stored = 70_000;
    const { clock, live } = join(redis);
    expect(clock.isSynchronized).toBe(false);
    await clock.synchronize();
    expect(clock.now()).toBe(70_000);
    live(10);
    redis.stored = 60_000;
    await clock.synchronize();
    expect(clock.now()).toBe(70_010);
  });
});
