import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { scaledRuns } from '../../test/scaled-runs.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';

const RUNS = scaledRuns(2000);

const LEASE_MS = 6000;
const SETTLED = 6000;

const burst = fc.record({
  at: fc.integer({ min: 0, max: 6000 }),
  /** Calls follow each other after this time, in milliseconds. */
  everyMs: fc.constantFrom(0, 1, 7, 40, 99, 100, 101),
  calls: fc.integer({ min: 1, max: 60 }),
  replica: fc.nat({ max: 2 }),
  responseMs: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1500 })),
});

describe('a call of the only caller that is rejected without a command to the store', () => {
  // With more callers, the growing demand of one can change its share in the meantime, by the remainder of a division.
  it(`would be rejected by the store, too: ${RUNS.toLocaleString('en')} schedules on up to three replicas`, async () => {
    let checks = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(burst, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(1, 5, 20),
        fc.constantFrom(0, 1, 20),
        async (bursts, size, perSecond, latencyMs) => {
          const clock = new VirtualClock();
          const store = new FakeRemoteStore(perSecond, LEASE_MS, clock);
          const quotas = Array.from({ length: size }, (_, index) => {
            const client = store.clientFor(`r${index}`, { latencyMs });
            return new Quota({ perSecond, clock, store: client });
          });
          let checksLeft = 20;
          const call = async ({ replica, responseMs }: (typeof bursts)[number]): Promise<void> => {
            const index = replica % size;
            const rejected = quotas[index]!.rejectIfExhausted('one');
            if (rejected) {
              checksLeft -= 1;
              if (checksLeft < 0) return;
              checks += 1;
              const request = { caller: 'one', newCalls: 1, pendingCalls: 1 };
              // What a replica knows of the time in the store is outdated by up to four latencies.
              const times = [clock.now(), clock.now() - 4 * latencyMs];
              const decisions = times.map((at) => store.decisionAt(at, `r${index}`, request));
              if (decisions.every((decision) => decision === 'granted')) wronglyRejectedAt.push(clock.now());
              return;
            }
            const slot = await quotas[index]!.acquire({ caller: 'one' }).catch(() => undefined);
            if (slot) clock.setTimer(responseMs, () => slot.release('completed'));
          };
          const wronglyRejectedAt: number[] = [];
          for (const one of bursts)
            for (let n = 0; n < one.calls; n += 1)
              clock.setTimer(SETTLED + one.at + n * one.everyMs, () => void call(one));
          await clock.runUntil(SETTLED + 15_000);
          expect(wronglyRejectedAt).toEqual([]);
        },
      ),
      { numRuns: RUNS },
    );
    expect(checks).toBeGreaterThan(RUNS);
  }, 300_000);
});
