import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../test/virtual-clock.js';
import { Quota } from './quota.js';
import type { QuotaExhaustedError, ShareExhaustedError } from './errors.js';

const CODE_BY_REASON = { quota: 'quota-exhausted', share: 'share-exhausted' } as const;

interface Call {
  readonly at: number;
  readonly caller: string;
  readonly burst: number;
  readonly responseMs: number;
  /** How long it waits in the queue without a slot of its own; undefined: it wants a slot, now or never. */
  readonly reservesMs?: number | undefined;
}

const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 1000, max: 12_000 }),
    caller: fc.constantFrom('one', 'two', 'three'),
    burst: fc.integer({ min: 1, max: 12 }),
    responseMs: fc.integer({ min: 1, max: 800 }),
    reservesMs: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 900),
  }),
  { minLength: 1, maxLength: 25 },
);

/** What became of a call: `slot`, or the refusal and after how many milliseconds it may come again. */
type Outcome = string;

class RecordingQuota {
  readonly quota: Quota;
  readonly outcomes: Outcome[] = [];
  readonly decisions: string[] = [];
  rejectedAtOnce = 0;

  constructor(
    private readonly clock: VirtualClock,
    perSecond: number,
  ) {
    this.quota = new Quota({
      perSecond,
      clock,
      queueLimit: 10,
      observer: {
        granted: () => this.decisions.push('granted'),
        rejected: (why) => this.decisions.push(why),
        reduced: () => {},
      },
    });
  }

  call({ caller, responseMs, reservesMs }: Call, rejectedAtOnce: boolean): void {
    const index = this.outcomes.push('pending') - 1;
    if (reservesMs !== undefined) {
      const { rejected } = this.quota.reserveQueueEntry({ caller, waitMs: reservesMs });
      rejected.catch((error: unknown) => (this.outcomes[index] = describeRejection(error)));
      return;
    }
    const rejection = rejectedAtOnce ? this.quota.rejectIfExhausted(caller) : undefined;
    if (rejection) {
      this.rejectedAtOnce += 1;
      this.outcomes[index] = `${CODE_BY_REASON[rejection.reason]} ${rejection.retryAfterMs}`;
      return;
    }
    void this.#acquire(caller, responseMs).then((outcomes) => (this.outcomes[index] = outcomes));
  }

  async #acquire(caller: string, responseMs: number): Promise<Outcome> {
    try {
      const slot = await this.quota.acquire({ caller });
      this.clock.setTimer(responseMs, () => slot.release('completed'));
      return 'slot';
    } catch (error) {
      return describeRejection(error);
    }
  }
}

function describeRejection(error: unknown): Outcome {
  const { code, retryAfterMs } = error as QuotaExhaustedError | ShareExhaustedError;
  return `${code} ${retryAfterMs}`;
}

const at = (time: number, caller: string): Call => ({ at: time, caller, burst: 1, responseMs: 1 });

/** Plays these calls to a quota that refuses at once and to one that does not, and holds them against each other. */
async function compareQuotas(plannedCalls: readonly Call[], perSecond: number): Promise<number> {
  const clock = new VirtualClock();
  const [slow, fast] = [new RecordingQuota(clock, perSecond), new RecordingQuota(clock, perSecond)];
  for (const call of plannedCalls)
    for (let n = 0; n < call.burst; n += 1)
      clock.setTimer(call.at, () => {
        slow.call(call, false);
        fast.call(call, true);
      });
  await clock.runUntil(20_000);
  expect(fast.outcomes).toEqual(slow.outcomes);
  expect(fast.decisions.toSorted()).toEqual(slow.decisions.toSorted());
  return fast.rejectedAtOnce;
}

describe('a refusal at once', () => {
  it('is the one that take would have come to, and is noted and told the same: 2,000 schedules', async () => {
    let rejectedAtOnce = 0;
    await fc.assert(
      fc.asyncProperty(calls, fc.constantFrom(1, 5, 20), async (plannedCalls, perSecond) => {
        rejectedAtOnce += await compareQuotas(plannedCalls, perSecond);
      }),
      {
        numRuns: 2000,
        // At the very moment of the first slot, and whoever waited for it has not been served yet.
        examples: [[[at(1500, 'three'), at(1000, 'one')], 1]],
      },
    );
    expect(rejectedAtOnce).toBeGreaterThan(10_000);
  });

  it('is not given while everybody waits for the hold after start', () => {
    const quota = new Quota({ perSecond: 1, clock: new VirtualClock() });
    expect(quota.rejectIfExhausted('one')).toBeUndefined();
  });
});
