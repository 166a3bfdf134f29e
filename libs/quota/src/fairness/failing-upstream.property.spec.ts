import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scaledRuns } from '../../test/scaled-runs.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';

const RUNS = scaledRuns(2000);
const PER_SECOND = 20;
const ATTEMPT_TIMEOUT_MS = 3000;
/** The longest time that an attempt holds its slot: its timeout, the margin of an abandoned attempt, and one second. */
const MAX_HOLD_MS = ATTEMPT_TIMEOUT_MS + 3000;

/** How an attempt ends, and after which time. */
const ending = fc.oneof(
  fc.record({
    reason: fc.constantFrom('completed' as const, 'completed' as const, 'throttled' as const),
    afterMs: fc.integer({ min: 0, max: ATTEMPT_TIMEOUT_MS }),
  }),
  fc.constant({ reason: 'abandoned' as const, afterMs: ATTEMPT_TIMEOUT_MS }),
);

/** Calls of one caller. Its attempts end in these ways by turns. */
const callPattern = (everyMs: [number, number], maxBurst: number, waits: number[]) =>
  fc.record({
    from: fc.integer({ min: 0, max: 3000 }),
    everyMs: fc.integer({ min: everyMs[0], max: everyMs[1] }),
    burst: fc.integer({ min: 1, max: maxBurst }),
    waitMs: fc.constantFrom(...waits),
    endings: fc.array(ending, { minLength: 1, maxLength: 6 }),
  });

type Pattern = ReturnType<typeof callPattern> extends fc.Arbitrary<infer T> ? T : never;

const flood = callPattern([100, 1000], 12, [0, 0, 1000, 30_000]);
const modest = callPattern([300, 3000], 2, [MAX_HOLD_MS]);
const UNTIL_MS = 8000;

interface Wait {
  /** The smallest equal share while the call waited. */
  share: number;
  /** How many slots and earlier calls its caller had. */
  callsBefore: number;
  waitedMs: number;
  granted: boolean;
}

async function simulate(floods: Pattern[], modestCallers: Pattern[]): Promise<Wait[]> {
  const clock = new VirtualClock();
  const quota = new Quota({ perSecond: PER_SECOND, clock, queueLimit: 50 });
  const callers = floods.length + modestCallers.length;
  const pending = new Set<Wait>();
  const waits: Wait[] = [];
  const observeShare = (): void => {
    const share = Math.floor(quota.state().capacity / callers);
    for (const wait of pending) wait.share = Math.min(wait.share, share);
  };
  const start = (caller: string, pattern: Pattern, isModest: boolean): void => {
    let attempts = 0;
    let held = 0;
    const call = async (): Promise<void> => {
      const at = clock.now();
      const wait: Wait = { share: Infinity, callsBefore: held, waitedMs: 0, granted: false };
      held += 1;
      pending.add(wait);
      observeShare();
      const slot = await quota.acquire({ caller, waitMs: pattern.waitMs }).catch(() => undefined);
      observeShare();
      pending.delete(wait);
      wait.waitedMs = clock.now() - at;
      wait.granted = slot !== undefined;
      if (isModest) waits.push(wait);
      if (!slot) {
        held -= 1;
        return;
      }
      const { reason, afterMs } = pattern.endings[(attempts += 1) % pattern.endings.length]!;
      clock.setTimer(afterMs, () => {
        slot.release(reason);
        observeShare();
        clock.setTimer(reason === 'abandoned' ? 3000 : 1000, () => (held -= 1));
      });
    };
    for (let at = pattern.from; at < UNTIL_MS; at += pattern.everyMs)
      clock.setTimer(at, () => {
        for (let n = 0; n < pattern.burst; n += 1) void call();
      });
  };
  floods.forEach((pattern, n) => start(`flood-${n}`, pattern, false));
  modestCallers.forEach((pattern, n) => start(`modest-${n}`, pattern, true));
  await clock.runUntil(UNTIL_MS + 2 * MAX_HOLD_MS);
  return waits;
}

describe('a waiting call of a caller with fewer slots than its equal share', () => {
  it(`gets a slot within the longest hold of an attempt, whatever others send and however the upstream fails: ${RUNS.toLocaleString('en')} schedules`, async () => {
    let promised = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(flood, { minLength: 1, maxLength: 3 }),
        fc.array(modest, { minLength: 1, maxLength: 3 }),
        async (floods, modestCallers) => {
          const waits = await simulate(floods, modestCallers);
          const withinShare = waits.filter(({ share, callsBefore }) => callsBefore < share);
          promised += withinShare.length;
          expect(withinShare.filter(({ granted, waitedMs }) => !granted || waitedMs > MAX_HOLD_MS)).toEqual(
            [],
          );
        },
      ),
      { numRuns: RUNS },
    );
    expect(promised).toBeGreaterThan(RUNS);
  }, 240_000);
});
