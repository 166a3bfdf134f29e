import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { RedisProcess } from '../../../../test/support/redis.js';
import { ModelStore } from '../../test/model-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { longestLeaseMs } from '../timing.js';
import { type EnteredLease, STRANGER } from '../store/slot-store.js';
import { RedisSlotStore, SCRIPTS } from './redis-slot-store.js';

const LEASE_MS = longestLeaseMs(3000);
let process: RedisProcess;
let redis: Redis;

beforeAll(async () => {
  process = await RedisProcess.start();
  redis = new Redis(process.url);
});

afterAll(async () => {
  redis.disconnect();
  await process.close();
});

/** The same scripts, but on a clock that the test sets. */
const atTestTime = Object.fromEntries(
  Object.entries(SCRIPTS).map(([name, script]) => [
    name,
    script.replace(/local time = .*\nlocal now = .*\n/, "local now = tonumber(redis.call('GET', 'now'))\n"),
  ]),
) as typeof SCRIPTS;

const replica = fc.constantFrom('a', 'b', 'c');
const caller = fc.constantFrom('room service', 'b 2', 'ä');
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('take' as const),
      replica,
      caller,
      wanted: fc.integer({ min: 1, max: 6 }),
      fresh: fc.integer({ min: 0, max: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('giveBack' as const),
      replica,
      which: fc.nat(),
      heldForMs: fc.constantFrom(0, 1000, 3000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('pass' as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constantFrom(999, 1000, 1250, 2500, 6000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('join' as const),
      replica,
      part: fc.integer({ min: 0, max: 7 }),
      held: fc.array(fc.constantFrom(1, 400, 3000, Infinity), { maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('beat' as const),
      replica,
      part: fc.integer({ min: 0, max: 7 }),
      era: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lower' as const), replica }) },
);

describe('the scripts in Redis', () => {
  it('decide as the model does, step by step: 3,000 random courses of up to 60 steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(1, 5, 20),
        async (steps, perSecond) => {
          await redis.flushall();
          const clock = new VirtualClock();
          const model = new ModelStore(perSecond, LEASE_MS, clock);
          const pass = async (ms: number): Promise<void> => {
            await clock.runUntil(clock.now() + ms);
            await redis.set('now', clock.now());
          };
          await pass(100_000);
          const comings = new Map<string, number>();
          const lent: string[] = [];
          let ids = 0;
          const stores = new Map(
            ['a', 'b', 'c'].map((name) => {
              const options = { scope: 'here/There', perSecond, replica: name, leaseMs: LEASE_MS };
              return [name, new RedisSlotStore(redis, options, atTestTime)];
            }),
          );
          const join = async (name: string, part: number, leases: EnteredLease[]): Promise<void> => {
            const number = (comings.get(name) ?? 0) + 1;
            comings.set(name, number);
            const coming = { number, part, leases };
            expect(await stores.get(name)!.join(coming)).toEqual(model.join(name, coming));
          };
          await join('a', 0, []);
          await join('b', 0, []);
          for (const one of steps) {
            if (one.does === 'pass') {
              await pass(one.ms);
              continue;
            }
            const { replica: name } = one;
            const store = stores.get(name)!;
            const coming = comings.get(name) ?? 0;
            if (one.does === 'join') {
              const leases = one.held.map((freeIn) => ({
                id: `${name}/entered-${(ids += 1)}`,
                caller: 'b 2',
                freeIn,
              }));
              lent.push(...leases.map(({ id }) => id));
              await join(name, one.part, leases);
              continue;
            }
            const known = model.knows(name, coming);
            let actual: unknown;
            let expected: unknown;
            if (one.does === 'take') {
              const id = `${name}/${(ids += 1)}`;
              const answer = await store.take(coming, id, one);
              actual = sorted(answer);
              expected = known ? sorted(model.take(name, id, one)) : STRANGER;
              if (answer !== STRANGER && answer.verdict === 'granted') lent.push(id);
            } else if (one.does === 'giveBack') {
              const id = lent[one.which % Math.max(1, lent.length)] ?? 'none';
              const view = await store.giveBack(coming, id, one.heldForMs);
              actual = sorted({ view });
              expected = sorted({ view: known ? model.giveBack(name, id, one.heldForMs) : STRANGER });
            } else if (one.does === 'beat') {
              actual = await store.beat(coming, one);
              expected = known ? model.beat(name, one) : STRANGER;
            } else {
              actual = await store.lower(coming);
              expected = known ? model.lower() : STRANGER;
            }
            expect(actual).toEqual(expected);
          }
        },
      ),
      { numRuns: 3000 },
    );
  }, 120_000);
});

/** Hashes have no order. */
function sorted(answer: unknown): unknown {
  const { view } = answer as { view?: { freeIn?: number[] } };
  if (!view?.freeIn) return answer;
  return { ...(answer as object), view: { ...view, freeIn: view.freeIn.toSorted((a, b) => a - b) } };
}
