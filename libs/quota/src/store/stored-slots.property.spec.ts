import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { call, FarEnd, type PlannedCall, type Process } from '../../test/far-end.js';
import { DistantStore } from '../../test/distant-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import { StoredSlots } from './stored-slots.js';

const SECONDS = 1000;
const PER_SECOND = 20;
const TIMEOUT_MS = 3000;
/** By then every replica of the beginning has heard of the others. */
const SETTLED = 4 * SECONDS;

// What happens soon after something else happened is where a wrong rule fails.
const moment = fc.oneof(
  fc.integer({ min: 0, max: 8000 }),
  fc
    .tuple(fc.constantFrom(1000, 3000, 5000), fc.integer({ min: 0, max: 2500 }))
    .map(([first, after]) => first + after),
);
const outage = fc.record({
  at: moment,
  kind: fc.constantFrom('silent', 'down', 'down and empty', 'flush'),
  lastsMs: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 4000 })),
});
type Outage = typeof outage extends fc.Arbitrary<infer T> ? T : never;

/** By then every replica has asked for something, and has missed the answer. */
const NOTICED_MS = 1500;
const noticedByAll = ({ kind, lastsMs }: Outage): boolean =>
  kind === 'down' || kind === 'down and empty' || (kind === 'silent' && lastsMs >= NOTICED_MS);

/**
 * A replica that alone cannot reach the store for longer than the hold is cut off, and then its part comes on top.
 * So an outage that some may not notice is not followed by another before all can be back.
 */
function apart(outages: readonly Outage[]): Outage[] {
  let from = -Infinity;
  return outages
    .toSorted((a, b) => a.at - b.at)
    .filter((one) => {
      if (one.at < from) return false;
      if (!noticedByAll(one)) from = one.at + one.lastsMs + 3000;
      return true;
    });
}

const burst = fc
  .record({
    at: fc.oneof(moment, fc.integer({ min: 0, max: 11_000 })),
    /** null: each of them. */
    replica: fc.option(fc.nat({ max: 3 }), { freq: 2 }),
    size: fc.integer({ min: 1, max: 24 }),
    waitMs: fc.constantFrom(0, 0, 1500),
    toCloudMs: fc.integer({ min: 0, max: 500 }),
    toAnswerMs: fc.integer({ min: 0, max: 1500 }),
    fate: fc.constantFrom<PlannedCall['fate']>('answered', 'answered', 'answer lost', 'request lost'),
  })
  .map(({ size, ...one }) => Array.from({ length: size }, () => one));

const calls = (count: number, at: number, waitMs = 0): PlannedCall[] =>
  Array.from({ length: count }, () => ({ at, waitMs, toCloudMs: 0, toAnswerMs: 0, fate: 'answered' }));
const byEach = (...bursts: PlannedCall[][]) =>
  bursts.map((all) => all.map((one) => ({ ...one, replica: null })));

/** What once let 21 arrive. */
const FOUND = [
  // A replica came shortly before the store fell silent, and took its part before the others had heard of it.
  [
    2,
    [{ at: 2789, kind: 'silent', lastsMs: 1504 }],
    byEach(calls(2, 5312), calls(1, 2922), calls(10, 5000, 1500)),
    [
      { at: 5001, replica: 3 },
      { at: 2216, replica: null },
    ],
    [18, 237],
  ],
  // One that had never been there before found the store first, and took what the others were lending by themselves.
  [
    2,
    [{ at: 5000, kind: 'down', lastsMs: 1067 }],
    byEach(calls(10, 6500), calls(1, 0), calls(1, 0)),
    [{ at: 4978, replica: null }],
    [11, 234],
  ],
];

describe('slots shared through a store', () => {
  it('let no more than 20 arrive in any second, whatever happens to the store: 5,000 schedules of outages, deaths and births', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(outage, { maxLength: 3 }),
        fc.array(burst, { minLength: 2, maxLength: 9 }),
        fc.array(fc.record({ at: moment, replica: fc.option(fc.nat({ max: 3 })) }), {
          maxLength: 2,
        }),
        fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 400 })),
        async (size, outages, bursts, changes, [wayMs, lateMs]) => {
          const clock = new VirtualClock();
          const cloud = new FarEnd();
          const store = new DistantStore(PER_SECOND, TIMEOUT_MS + 3000, clock);
          let born = 0;
          const start = (): Process => {
            born += 1;
            const replica = `r${born}`;
            const way = store.for(replica, wayMs, (born % 3) * lateMs);
            const quota = new Quota({
              perSecond: PER_SECOND,
              clock,
              source: (listener) =>
                new StoredSlots({ perSecond: PER_SECOND, replica, store: way, clock, listener }),
            });
            return { quota, alive: true };
          };
          const replicas = Array.from({ length: size }, start);
          for (const { at, replica } of changes)
            clock.wakeIn(SETTLED + at, () => {
              if (replica === null) {
                replicas.push(start());
                return;
              }
              const index = replica % size;
              replicas[index]!.alive = false;
              void replicas[index]!.quota.close();
              replicas[index] = start();
            });
          for (const one of apart(outages)) {
            const { at, kind, lastsMs } = one;
            clock.wakeIn(SETTLED + at, () => {
              if (kind === 'flush') store.flush();
              else if (kind === 'silent') store.state = 'silent';
              else store.fall();
            });
            clock.wakeIn(SETTLED + at + lastsMs, () =>
              store.rise({ empty: kind === 'down and empty', reachedLate: noticedByAll(one) }),
            );
          }
          for (const one of bursts.flat())
            clock.wakeIn(SETTLED + one.at, () => {
              const { replica } = one;
              const some = replica === null ? replicas : [replicas[replica % replicas.length]!];
              for (const process of some) void call(one, { process, clock, cloud, timeoutMs: TIMEOUT_MS });
            });
          await clock.runUntil(SETTLED + 20 * SECONDS);
          expect(cloud.mostInAnySecond).toBeLessThanOrEqual(PER_SECOND);
        },
      ),
      { numRuns: 5000, examples: FOUND as never },
    );
  }, 120_000);
});
