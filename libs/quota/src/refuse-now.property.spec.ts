import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from '../test/virtual-clock.js';
import { Quota } from './quota.js';
import type { QuotaExhausted, ShareExhausted } from './refusals.js';

const WHY = { quota: 'quota-exhausted', share: 'share-exhausted' } as const;

interface Call {
  readonly at: number;
  readonly caller: string;
  readonly burst: number;
  readonly answerMs: number;
  /** How long it waits in the queue without a slot of its own; undefined: it wants a slot, now or never. */
  readonly reservesMs?: number | undefined;
}

const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 1000, max: 12_000 }),
    caller: fc.constantFrom('one', 'two', 'three'),
    burst: fc.integer({ min: 1, max: 12 }),
    answerMs: fc.integer({ min: 1, max: 800 }),
    reservesMs: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 900),
  }),
  { minLength: 1, maxLength: 25 },
);

/** What became of a call: `slot`, or the refusal and after how many milliseconds it may come again. */
type Told = string;

class Tally {
  readonly quota: Quota;
  readonly told: Told[] = [];
  readonly observed: string[] = [];
  atOnce = 0;

  constructor(
    private readonly clock: VirtualClock,
    perSecond: number,
  ) {
    this.quota = new Quota({
      perSecond,
      clock,
      queueLimit: 10,
      observer: {
        granted: () => this.observed.push('granted'),
        refused: (why) => this.observed.push(why),
        lowered: () => {},
      },
    });
  }

  call({ caller, answerMs, reservesMs }: Call, atOnce: boolean): void {
    const place = this.told.push('pending') - 1;
    if (reservesMs !== undefined) {
      const { rejected } = this.quota.reserveQueueEntry({ caller, waitMs: reservesMs });
      rejected.catch((error: unknown) => (this.told[place] = rejection(error)));
      return;
    }
    const refused = atOnce ? this.quota.rejectIfExhausted(caller) : undefined;
    if (refused) {
      this.atOnce += 1;
      this.told[place] = `${WHY[refused.reason]} ${refused.retryAfterMs}`;
      return;
    }
    void this.#take(caller, answerMs).then((told) => (this.told[place] = told));
  }

  async #take(caller: string, answerMs: number): Promise<Told> {
    try {
      const slot = await this.quota.acquire({ caller });
      this.clock.wakeIn(answerMs, () => slot.release('completed'));
      return 'slot';
    } catch (error) {
      return rejection(error);
    }
  }
}

function rejection(error: unknown): Told {
  const { code, retryAfterMs } = error as QuotaExhausted | ShareExhausted;
  return `${code} ${retryAfterMs}`;
}

const at = (time: number, caller: string): Call => ({ at: time, caller, burst: 1, answerMs: 1 });

/** Plays these calls to a quota that refuses at once and to one that does not, and holds them against each other. */
async function refusedAtOnce(planned: readonly Call[], perSecond: number): Promise<number> {
  const clock = new VirtualClock();
  const [usual, quick] = [new Tally(clock, perSecond), new Tally(clock, perSecond)];
  for (const call of planned)
    for (let n = 0; n < call.burst; n += 1)
      clock.wakeIn(call.at, () => {
        usual.call(call, false);
        quick.call(call, true);
      });
  await clock.runUntil(20_000);
  expect(quick.told).toEqual(usual.told);
  expect(quick.observed.toSorted()).toEqual(usual.observed.toSorted());
  return quick.atOnce;
}

describe('a refusal at once', () => {
  it('is the one that take would have come to, and is noted and told the same: 2,000 schedules', async () => {
    let atOnce = 0;
    await fc.assert(
      fc.asyncProperty(calls, fc.constantFrom(1, 5, 20), async (planned, perSecond) => {
        atOnce += await refusedAtOnce(planned, perSecond);
      }),
      {
        numRuns: 2000,
        // At the very moment of the first slot, and whoever waited for it has not been served yet.
        examples: [[[at(1500, 'three'), at(1000, 'one')], 1]],
      },
    );
    expect(atOnce).toBeGreaterThan(10_000);
  });

  it('is not given while everybody waits for the hold after start', () => {
    const quota = new Quota({ perSecond: 1, clock: new VirtualClock() });
    expect(quota.rejectIfExhausted('one')).toBeUndefined();
  });
});
