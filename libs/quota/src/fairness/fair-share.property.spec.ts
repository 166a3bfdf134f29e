import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { FakeUpstream } from '../../test/fake-upstream.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { scaledRuns } from '../../test/scaled-runs.js';
import { Quota } from '../quota.js';

const RUNS = scaledRuns(5000);

const SECONDS = 1000;

/** Evenly spaced bursts of calls of one caller. Times are in milliseconds. */
interface CallPattern {
  caller: string;
  from: number;
  until: number;
  everyMs: number;
  burst?: number;
  waitMs: number;
  roundTripMs: number;
}

interface CallResult {
  caller: string;
  at: number;
  granted: boolean;
}

interface SimulationOptions {
  perSecond?: number;
  /** How many replicas share the slots through a store, each with its turn. 0: one process without a store. */
  replicas?: number;
  onCall?: (quota: Quota) => void;
}

const STORE_LATENCY_MS = 1;
const STORE_WARMUP_MS = 3010;

/** Runs the call patterns and records each call and each arrival. */
async function simulate(
  patterns: CallPattern[],
  { perSecond = 20, replicas = 0, onCall }: SimulationOptions = {},
) {
  const clock = new VirtualClock();
  const upstream = new FakeUpstream();
  const store = new FakeRemoteStore(perSecond, 6000, clock);
  const quotas = Array.from({ length: Math.max(1, replicas) }, (_, index) => {
    const client = store.clientFor(`r${index}`, { latencyMs: STORE_LATENCY_MS });
    return new Quota({ perSecond, clock, ...(replicas > 0 && { store: client }) });
  });
  const calls: CallResult[] = [];
  let turn = 0;
  const call = async ({ caller, waitMs, roundTripMs }: CallPattern): Promise<void> => {
    const at = clock.now();
    const quota = quotas[(turn += 1) % quotas.length]!;
    // As the gateway does for a call that may not wait.
    const isRejected = waitMs === 0 && quota.rejectIfExhausted(caller);
    const slot = isRejected ? undefined : await quota.acquire({ caller, waitMs }).catch(() => undefined);
    calls.push({ caller, at, granted: slot !== undefined });
    if (!slot) return;
    clock.setTimer(roundTripMs / 2, () => upstream.arrivals.push(clock.now()));
    clock.setTimer(roundTripMs, () => slot.release('completed'));
  };
  for (const pattern of patterns)
    for (let at = pattern.from; at < pattern.until; at += pattern.everyMs)
      clock.setTimer(at, () => {
        for (let n = pattern.burst ?? 1; n > 0; n -= 1) void call(pattern);
        onCall?.(quotas[0]!);
      });
  await clock.runUntil(Math.max(...patterns.map(({ until }) => until)) + 5 * SECONDS);
  return { upstream, calls };
}

const flood = fc.record({
  from: fc.integer({ min: 0, max: 2000 }),
  everyMs: fc.integer({ min: 300, max: 1000 }),
  burst: fc.integer({ min: 1, max: 20 }),
  waitMs: fc.constantFrom(0, 0, 1000),
  roundTripMs: fc.integer({ min: 0, max: 400 }),
});

describe('fair shares', () => {
  it(`are granted in full to callers with a smaller demand while others flood, but for one call of each with a store: ${RUNS.toLocaleString('en')} schedules`, async () => {
    const lightCaller = fc.record({
      everyMs: fc.integer({ min: 200, max: 2000 }),
      roundTripMs: fc.integer({ min: 0, max: 240 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(lightCaller, { minLength: 1, maxLength: 3 }),
        fc.array(flood, { minLength: 1, maxLength: 2 }),
        fc.constantFrom(0, 1, 3),
        async (light, floods, replicas) => {
          const callers = light.length + floods.length;
          const need = (one: (typeof light)[number]) => Math.ceil((1000 + one.roundTripMs) / one.everyMs) + 1;
          fc.pre(light.every((one) => need(one) <= Math.floor(20 / callers)));
          // A flood whose demand varies below its share moves the shares of others faster than slots become free.
          const minDemand = (one: (typeof floods)[number]) =>
            Math.floor((1000 + one.roundTripMs) / one.everyMs) * one.burst;
          fc.pre(floods.every((one) => minDemand(one) > Math.floor(20 / callers)));
          // A new store grants no slot in its first 3 s, a process without a store none in its first 1.5 s.
          const delayMs = replicas > 0 ? STORE_WARMUP_MS - 1500 : 0;
          const until = 6 * SECONDS + delayMs;
          const patterns = [
            ...light.map((one, n) => ({
              ...one,
              caller: `light-${n}`,
              from: 1600 + delayMs + n,
              until,
              waitMs: 0,
            })),
            ...floods.map((one, n) => ({ ...one, caller: `flood-${n}`, from: one.from + delayMs, until })),
          ];
          const { calls, upstream } = await simulate(patterns, { replicas });
          // The demand of a new caller is known after 1.25 s, and slots of other callers are free after another 1.25 s.
          const settled = calls.filter(
            ({ caller, at }) => caller.startsWith('light') && at >= 4300 + delayMs,
          );
          const rejected = settled.filter(({ granted }) => !granted).map(({ caller }) => caller);
          // A slot in a store is free some milliseconds late, because a replica must prove that the second is over.
          const allowed = replicas > 0 ? new Set(rejected).size : 0;
          expect(rejected.length).toBeLessThanOrEqual(allowed);
          expect(upstream.peakPerSecond).toBeLessThanOrEqual(20);
        },
      ),
      {
        numRuns: RUNS,
        examples: [
          [
            [{ everyMs: 900, roundTripMs: 111 }],
            [{ from: 868, everyMs: 312, burst: 10, waitMs: 0, roundTripMs: 293 }],
            3,
          ],
        ],
      },
    );
  }, 300_000);

  it(`leave no slot idle while all callers have waiting calls: ${RUNS.toLocaleString('en')} schedules`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(flood, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 3, 20),
        async (floods, perSecond) => {
          let checks = 0;
          const { upstream } = await simulate(
            floods.map((one, n) => ({ ...one, caller: `c${n}`, waitMs: 3000, from: 1600, until: 2600 })),
            {
              perSecond,
              onCall: (quota) => {
                checks += 1;
                // All callers wait here when no slot is free, so no slot is reserved for a caller that does not wait.
                const { free, queueLength } = quota.state();
                expect(queueLength > floods.length ? free : 0).toBe(0);
              },
            },
          );
          expect(checks).toBeGreaterThan(0);
          expect(upstream.peakPerSecond).toBeLessThanOrEqual(perSecond);
        },
      ),
      { numRuns: RUNS },
    );
  }, 300_000);

  it('are divided among active callers only: a single active caller gets all slots', async () => {
    const { calls } = await simulate([
      { caller: 'other', from: 1600, until: 1700, everyMs: 10, waitMs: 0, roundTripMs: 20 },
      { caller: 'one', from: 8000, until: 8100, everyMs: 4, waitMs: 0, roundTripMs: 20 },
    ]);
    expect(calls.filter(({ caller, granted }) => caller === 'one' && granted)).toHaveLength(20);
  });

  it(`let no caller starve, with fewer or more slots than callers: ${RUNS.toLocaleString('en')} schedules`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.constantFrom(2, 3, 20),
        fc.integer({ min: 0, max: 300 }),
        fc.constantFrom(0, 4000),
        fc.constantFrom(0, 1, 3),
        async (callers, perSecond, roundTripMs, waitMs, replicas) => {
          const until = 1500 + 2 * (callers / perSecond + 1) * (1000 + roundTripMs);
          const { calls } = await simulate(
            Array.from({ length: callers }, (_, n): CallPattern => {
              const when = { from: 1500 + n, until, everyMs: 400 };
              return { caller: `c${n}`, ...when, waitMs, roundTripMs };
            }),
            { perSecond, replicas },
          );
          const served = new Set(calls.filter(({ granted }) => granted).map(({ caller }) => caller));
          expect(served.size).toBe(callers);
        },
      ),
      { numRuns: RUNS },
    );
  }, 300_000);

  it('leave the remaining slots to the flood: A 1,000/s, B 5/s, C 2/s for 30 s at a round trip of 200 ms', async () => {
    const until = 31_500;
    const { calls, upstream } = await simulate([
      { caller: 'a', from: 1500, until, everyMs: 1, waitMs: 0, roundTripMs: 200 },
      { caller: 'b', from: 1500, until, everyMs: 200, waitMs: 0, roundTripMs: 200 },
      { caller: 'c', from: 1500, until, everyMs: 500, waitMs: 0, roundTripMs: 200 },
    ]);
    const rate = (name: string) => {
      const own = calls.filter(({ caller }) => caller === name);
      return own.filter(({ granted }) => granted).length / own.length;
    };
    expect(rate('b')).toBeGreaterThanOrEqual(0.95);
    expect(rate('c')).toBeGreaterThanOrEqual(0.95);
    expect(upstream.arrivals.length / 30).toBeGreaterThanOrEqual(0.9 * (20 / 1.2));
    expect(upstream.peakPerSecond).toBeLessThanOrEqual(20);
  });

  it.each([
    [0, 'one process'],
    [1, 'one replica'],
    [3, 'three replicas'],
  ])(
    'leave at least 0.93 of the quota to a flood and a caller with 5 calls a second, which gets all of its own: %d (%s)',
    async (replicas) => {
      const until = 31_500;
      const pattern = { from: 1500, until, waitMs: 0, roundTripMs: 50 };
      const patterns = [
        { ...pattern, caller: 'flood', everyMs: 1 },
        { ...pattern, caller: 'modest', everyMs: 200 },
      ];
      const { calls, upstream } = await simulate(patterns, { replicas });
      const settled = upstream.arrivals.filter((at) => at >= 10_000 && at < 30_000).length;
      expect(settled / 20 / (20 / 1.05)).toBeGreaterThanOrEqual(0.93);
      const modest = calls.filter(({ caller, at }) => caller === 'modest' && at >= 5000);
      expect(modest.filter(({ granted }) => !granted)).toEqual([]);
      expect(upstream.peakPerSecond).toBeLessThanOrEqual(20);
    },
  );
});
