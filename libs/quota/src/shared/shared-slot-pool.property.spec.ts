import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { call, FakeUpstream, type PlannedCall, type GatewayProcess } from '../../test/fake-upstream.js';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import { SharedSlotPool } from './shared-slot-pool.js';

const SECONDS = 1000;
const PER_SECOND = 20;
const TIMEOUT_MS = 3000;
/** By then every replica of the beginning has heard of the others. */
const SETTLED = 4 * SECONDS;

// What happens soon after something else happened is where a wrong rule fails.
const eventTime = fc.oneof(
  fc.integer({ min: 0, max: 8000 }),
  fc
    .tuple(fc.constantFrom(1000, 3000, 5000), fc.integer({ min: 0, max: 2500 }))
    .map(([first, after]) => first + after),
);
const outage = fc.record({
  at: eventTime,
  kind: fc.constantFrom('silent', 'down', 'down and empty', 'flush'),
  lastsMs: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 4000 })),
});
type Outage = typeof outage extends fc.Arbitrary<infer T> ? T : never;

/** By then every replica has asked for something, and has missed the answer. */
const DETECTION_MS = 1500;
const isNoticedByAll = ({ kind, lastsMs }: Outage): boolean =>
  kind === 'down' || kind === 'down and empty' || (kind === 'silent' && lastsMs >= DETECTION_MS);

/**
 * A replica that alone cannot reach the store for longer than the hold is cut off, and then its part comes on top.
 * So an outage that some may not notice is not followed by another before all can be back.
 */
function spaceOut(outages: readonly Outage[]): Outage[] {
  let from = -Infinity;
  return outages
    .toSorted((a, b) => a.at - b.at)
    .filter((one) => {
      if (one.at < from) return false;
      if (!isNoticedByAll(one)) from = one.at + one.lastsMs + 3000;
      return true;
    });
}

const burst = fc
  .record({
    at: fc.oneof(eventTime, fc.integer({ min: 0, max: 11_000 })),
    /** null: each of them. */
    replica: fc.option(fc.nat({ max: 3 }), { freq: 2 }),
    size: fc.integer({ min: 1, max: 24 }),
    waitMs: fc.constantFrom(0, 0, 1500),
    requestDelayMs: fc.integer({ min: 0, max: 500 }),
    responseDelayMs: fc.integer({ min: 0, max: 1500 }),
    outcome: fc.constantFrom<PlannedCall['outcome']>('answered', 'answered', 'response lost', 'request lost'),
  })
  .map(({ size, ...one }) => Array.from({ length: size }, () => one));

const calls = (count: number, at: number, waitMs = 0): PlannedCall[] =>
  Array.from({ length: count }, () => ({
    at,
    waitMs,
    requestDelayMs: 0,
    responseDelayMs: 0,
    outcome: 'answered',
  }));
const onEachReplica = (...bursts: PlannedCall[][]) =>
  bursts.map((all) => all.map((one) => ({ ...one, replica: null })));

/** What once let 21 arrive. */
const REGRESSIONS = [
  // A replica came shortly before the store fell silent, and took its part before the others had heard of it.
  [
    2,
    [{ at: 2789, kind: 'silent', lastsMs: 1504 }],
    onEachReplica(calls(2, 5312), calls(1, 2922), calls(10, 5000, 1500)),
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
    onEachReplica(calls(10, 6500), calls(1, 0), calls(1, 0)),
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
        fc.array(fc.record({ at: eventTime, replica: fc.option(fc.nat({ max: 3 })) }), {
          maxLength: 2,
        }),
        fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 400 })),
        async (size, outages, bursts, changes, [latencyMs, reconnectDelayMs]) => {
          const clock = new VirtualClock();
          const upstream = new FakeUpstream();
          const store = new FakeRemoteStore(PER_SECOND, TIMEOUT_MS + 3000, clock);
          let started = 0;
          const start = (): GatewayProcess => {
            started += 1;
            const replica = `r${started}`;
            const client = store.clientFor(replica, latencyMs, (started % 3) * reconnectDelayMs);
            const quota = new Quota({
              perSecond: PER_SECOND,
              clock,
              createPool: (listener) =>
                new SharedSlotPool({ perSecond: PER_SECOND, replica, store: client, clock, listener }),
            });
            return { quota, isAlive: true };
          };
          const replicas = Array.from({ length: size }, start);
          for (const { at, replica } of changes)
            clock.setTimer(SETTLED + at, () => {
              if (replica === null) {
                replicas.push(start());
                return;
              }
              const index = replica % size;
              replicas[index]!.isAlive = false;
              void replicas[index]!.quota.close();
              replicas[index] = start();
            });
          for (const one of spaceOut(outages)) {
            const { at, kind, lastsMs } = one;
            clock.setTimer(SETTLED + at, () => {
              if (kind === 'flush') store.flush();
              else if (kind === 'silent') store.state = 'silent';
              else store.disconnect();
            });
            clock.setTimer(SETTLED + at + lastsMs, () =>
              store.reconnect({ empty: kind === 'down and empty', delayReconnects: isNoticedByAll(one) }),
            );
          }
          for (const one of bursts.flat())
            clock.setTimer(SETTLED + one.at, () => {
              const { replica } = one;
              const targets = replica === null ? replicas : [replicas[replica % replicas.length]!];
              for (const process of targets)
                void call(one, { process, clock, upstream, timeoutMs: TIMEOUT_MS });
            });
          await clock.runUntil(SETTLED + 20 * SECONDS);
          expect(upstream.peakPerSecond).toBeLessThanOrEqual(PER_SECOND);
        },
      ),
      { numRuns: 5000, examples: REGRESSIONS as never },
    );
  }, 120_000);
});
