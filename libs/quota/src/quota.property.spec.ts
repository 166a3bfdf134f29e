import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { call, FarEnd, type PlannedCall, type Process } from '../test/far-end.js';
import { VirtualClock } from '../test/virtual-clock.js';
import { Quota } from './quota.js';

const SECONDS = 1000;
const fate = fc.constantFrom<PlannedCall['fate']>(
  'answered',
  'answered',
  'throttled',
  'answer lost',
  'request lost',
  'withdrawn',
);
// Bursts on round times hit the edges of seconds, where a wrong limiter fails.
const moment = fc.oneof(
  fc.integer({ min: 0, max: 6000 }),
  fc.constantFrom(1499, 1500, 1501, 2500, 2501, 3000, 4000),
);
const planned = fc
  .record({
    at: moment,
    burst: fc.integer({ min: 1, max: 8 }),
    waitMs: fc.constantFrom(0, 0, 500, 3000),
    toCloudMs: fc.integer({ min: 0, max: 500 }),
    toAnswerMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3000 })),
    fate,
  })
  .map(({ burst, ...one }) => Array.from({ length: burst }, (): PlannedCall => one));

describe('the quota, whatever the network does', () => {
  it('lets no more than its number arrive in any one second: 10,000 schedules with delays, losses and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { minLength: 1, maxLength: 14 }),
        fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 3 }),
        fc.constantFrom(1, 2, 5, 20),
        fc.constantFrom(400, 1500, 3000),
        async (bursts, restarts, perSecond, timeoutMs) => {
          const clock = new VirtualClock();
          const cloud = new FarEnd();
          const start = (): Process => ({ quota: new Quota({ perSecond, clock }), alive: true });
          let process = start();
          for (const at of restarts)
            clock.wakeIn(at, () => {
              process.alive = false;
              process = start();
            });
          for (const one of bursts.flat())
            clock.wakeIn(one.at, () => void call(one, { process, clock, cloud, timeoutMs }));
          await clock.runUntil(20 * SECONDS);
          expect(cloud.mostInAnySecond).toBeLessThanOrEqual(perSecond);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('leaves no slot taken and nobody waiting once everything is over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(planned, { minLength: 1, maxLength: 14 }), async (bursts) => {
        const clock = new VirtualClock();
        const cloud = new FarEnd();
        const quota = new Quota({ perSecond: 20, clock });
        const outcomes: string[] = [];
        const calls = bursts.flat();
        for (const one of calls)
          clock.wakeIn(one.at, () => {
            void call(one, { process: { quota, alive: true }, clock, cloud, timeoutMs: 3000 }).then((end) =>
              outcomes.push(end),
            );
          });
        await clock.runUntil(60 * SECONDS);
        expect(outcomes).toHaveLength(calls.length);
        expect(quota.state()).toEqual({ capacity: 20, free: 20, inUse: 0, waiting: 0, nextFreeInMs: 0 });
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('uses at least 18.5 of 20 per second under constant demand at a round trip of 50 ms', async () => {
    const clock = new VirtualClock();
    const cloud = new FarEnd();
    const quota = new Quota({ perSecond: 20, clock });
    const one = { at: 0, waitMs: 0, toCloudMs: 25, toAnswerMs: 25, fate: 'answered' } as const;
    for (let at = 0; at < 62 * SECONDS; at += 5)
      clock.wakeIn(
        at,
        () => void call({ ...one, at }, { process: { quota, alive: true }, clock, cloud, timeoutMs: 3000 }),
      );
    await clock.runUntil(62 * SECONDS);
    const inAMinute = cloud.arrivals.filter((at) => at >= 2000 && at < 62_000).length;
    expect(inAMinute / 60).toBeGreaterThanOrEqual(18.5);
    expect(cloud.mostInAnySecond).toBe(20);
  });
});
