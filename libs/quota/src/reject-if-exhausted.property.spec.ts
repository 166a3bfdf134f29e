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
  /** The wait of a queue reservation; undefined: a call that needs a slot and may not wait. */
  readonly reservationWaitMs?: number | undefined;
}

const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 1000, max: 12_000 }),
    caller: fc.constantFrom('one', 'two', 'three'),
    burst: fc.integer({ min: 1, max: 12 }),
    responseMs: fc.integer({ min: 1, max: 800 }),
    // Not a whole number: if a wait ended at the time of a response, either could come first.
    reservationWaitMs: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 900.5),
  }),
  { minLength: 1, maxLength: 25 },
);

/** `slot`, or the code and the retryAfterMs of the rejection. */
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
        rejected: (reason) => this.decisions.push(reason),
      },
    });
  }

  call({ caller, responseMs, reservationWaitMs }: Call, rejectIfExhausted: boolean): void {
    const index = this.outcomes.push('pending') - 1;
    if (reservationWaitMs !== undefined) {
      const { rejected } = this.quota.reserveQueueEntry({ caller, waitMs: reservationWaitMs });
      rejected.catch((error: unknown) => (this.outcomes[index] = describeRejection(error)));
      return;
    }
    const rejection = rejectIfExhausted ? this.quota.rejectIfExhausted(caller) : undefined;
    if (rejection) {
      this.rejectedAtOnce += 1;
      this.outcomes[index] = `${CODE_BY_REASON[rejection.reason]} ${rejection.retryAfterMs}`;
      return;
    }
    void this.#acquire(caller, responseMs).then((outcome) => (this.outcomes[index] = outcome));
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

/** Makes the same calls on a quota with `rejectIfExhausted` and on one without, and compares the results. */
async function compareQuotas(plannedCalls: readonly Call[], perSecond: number): Promise<number> {
  const clock = new VirtualClock();
  const [expected, actual] = [new RecordingQuota(clock, perSecond), new RecordingQuota(clock, perSecond)];
  for (const call of plannedCalls)
    for (let n = 0; n < call.burst; n += 1)
      clock.setTimer(call.at, () => {
        expected.call(call, false);
        actual.call(call, true);
      });
  await clock.runUntil(20_000);
  expect(actual.outcomes).toEqual(expected.outcomes);
  expect(actual.decisions.toSorted()).toEqual(expected.decisions.toSorted());
  return actual.rejectedAtOnce;
}

describe('rejectIfExhausted', () => {
  it('rejects, records and reports exactly as acquire: 2,000 schedules', async () => {
    let rejectedAtOnce = 0;
    await fc.assert(
      fc.asyncProperty(calls, fc.constantFrom(1, 5, 20), async (plannedCalls, perSecond) => {
        rejectedAtOnce += await compareQuotas(plannedCalls, perSecond);
      }),
      {
        numRuns: 2000,
        // A call at the end of the startup delay, before the waiting call is served.
        examples: [[[at(1500, 'three'), at(1000, 'one')], 1]],
      },
    );
    expect(rejectedAtOnce).toBeGreaterThan(10_000);
  });

  it('returns undefined during the startup delay', () => {
    const quota = new Quota({ perSecond: 1, clock: new VirtualClock() });
    expect(quota.rejectIfExhausted('one')).toBeUndefined();
  });
});
