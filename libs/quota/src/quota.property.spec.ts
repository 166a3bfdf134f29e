import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { call, FakeUpstream, type PlannedCall, type GatewayProcess } from '../test/fake-upstream.js';
import { VirtualClock } from '../test/virtual-clock.js';
import { scaledRuns } from '../test/scaled-runs.js';
import { Quota } from './quota.js';

const RUNS = scaledRuns(10_000);

const SECONDS = 1000;
const outcome = fc.constantFrom<PlannedCall['outcome']>(
  'completed',
  'completed',
  'throttled',
  'response lost',
  'request lost',
  'aborted',
);
// Bursts at these times hit the edges of windows, where an incorrect limiter fails.
const callTime = fc.oneof(
  fc.integer({ min: 0, max: 6000 }),
  fc.constantFrom(1499, 1500, 1501, 2500, 2501, 3000, 4000),
);
const planned = fc
  .record({
    at: callTime,
    burst: fc.integer({ min: 1, max: 8 }),
    waitMs: fc.constantFrom(0, 0, 500, 3000),
    requestDelayMs: fc.integer({ min: 0, max: 500 }),
    responseDelayMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3000 })),
    outcome,
  })
  .map(({ burst, ...plannedCall }) => Array.from({ length: burst }, (): PlannedCall => plannedCall));

describe('the quota under any network behaviour', () => {
  it(`lets at most perSecond calls arrive in any one second: ${RUNS.toLocaleString('en')} schedules with delays, losses and restarts`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { minLength: 1, maxLength: 14 }),
        fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 3 }),
        fc.constantFrom(1, 2, 5, 20),
        fc.constantFrom(400, 1500, 3000),
        async (bursts, restarts, perSecond, timeoutMs) => {
          const clock = new VirtualClock();
          const upstream = new FakeUpstream();
          const start = (): GatewayProcess => ({ quota: new Quota({ perSecond, clock }), isAlive: true });
          let process = start();
          for (const at of restarts)
            clock.setTimer(at, () => {
              process.isAlive = false;
              process = start();
            });
          for (const plannedCall of bursts.flat())
            clock.setTimer(
              plannedCall.at,
              () => void call(plannedCall, { process, clock, upstream, timeoutMs }),
            );
          await clock.runUntil(20 * SECONDS);
          expect(upstream.peakPerSecond).toBeLessThanOrEqual(perSecond);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('has no lease and an empty queue after all calls have ended', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(planned, { minLength: 1, maxLength: 14 }), async (bursts) => {
        const clock = new VirtualClock();
        const upstream = new FakeUpstream();
        const quota = new Quota({ perSecond: 20, clock });
        const outcomes: string[] = [];
        const calls = bursts.flat();
        for (const plannedCall of calls)
          clock.setTimer(plannedCall.at, () => {
            void call(plannedCall, {
              process: { quota, isAlive: true },
              clock,
              upstream,
              timeoutMs: 3000,
            }).then((result) => outcomes.push(result));
          });
        await clock.runUntil(60 * SECONDS);
        expect(outcomes).toHaveLength(calls.length);
        expect(quota.state()).toEqual({ capacity: 20, free: 20, inUse: 0, queueLength: 0, nextFreeInMs: 0 });
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('uses at least 18.5 of 20 per second under constant demand at a round trip of 50 ms', async () => {
    const clock = new VirtualClock();
    const upstream = new FakeUpstream();
    const quota = new Quota({ perSecond: 20, clock });
    const plannedCall = {
      at: 0,
      waitMs: 0,
      requestDelayMs: 25,
      responseDelayMs: 25,
      outcome: 'completed',
    } as const;
    for (let at = 0; at < 62 * SECONDS; at += 5)
      clock.setTimer(
        at,
        () =>
          void call(
            { ...plannedCall, at },
            { process: { quota, isAlive: true }, clock, upstream, timeoutMs: 3000 },
          ),
      );
    await clock.runUntil(62 * SECONDS);
    const arrivalsInOneMinute = upstream.arrivals.filter((at) => at >= 2000 && at < 62_000).length;
    expect(arrivalsInOneMinute / 60).toBeGreaterThanOrEqual(18.5);
    expect(upstream.peakPerSecond).toBe(20);
  });
});
