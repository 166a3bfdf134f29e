import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { RedisProcess } from '../../../../test/support/redis.js';
import { ModelStore } from '../../test/model-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { scaledRuns } from '../../test/scaled-runs.js';
import { maxLeaseMs } from '../timing.js';
import { type LeaseSnapshot, NOT_A_MEMBER, SlotStoreError } from './slot-store.js';
import { RedisSlotStore } from './redis-slot-store.js';

const RUNS = scaledRuns(3000);

const LEASE_MS = maxLeaseMs(3000);
let redisProcess: RedisProcess;
let redis: Redis;

beforeAll(async () => {
  redisProcess = await RedisProcess.start();
  redis = new RedisWithTestClock(redisProcess.url);
});

afterAll(async () => {
  redis.disconnect();
  await redisProcess.close();
});

const SERVER_CLOCK = /local time = redis\.call\('TIME'\)\nlocal now = .*\n/;

/** Makes the scripts read the time from the key `now`. */
class RedisWithTestClock extends Redis {
  override defineCommand(name: string, { lua, ...definition }: { lua: string; numberOfKeys?: number }): void {
    if (!SERVER_CLOCK.test(lua)) throw new Error(`${name} does not read the server clock`);
    const testClock = "local now = tonumber(redis.call('GET', 'now'))\n";
    super.defineCommand(name, { ...definition, lua: lua.replace(SERVER_CLOCK, testClock) });
  }
}

const replica = fc.constantFrom('a', 'b', 'c');
const caller = fc.constantFrom('room service', 'b 2', 'ä');
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      command: fc.constant('acquire' as const),
      replica,
      caller,
      pendingCalls: fc.integer({ min: 1, max: 6 }),
      newCalls: fc.integer({ min: 0, max: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      command: fc.constant('release' as const),
      replica,
      index: fc.nat(),
      holdMs: fc.constantFrom(0, 1000, 3000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      command: fc.constant('advance' as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constantFrom(999, 1000, 1250, 2500, 6000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      command: fc.constant('join' as const),
      replica,
      fallbackSlots: fc.integer({ min: 0, max: 7 }),
      remaining: fc.array(fc.constantFrom(1, 400, 3000, Infinity), { maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      command: fc.constant('heartbeat' as const),
      replica,
      fallbackSlots: fc.integer({ min: 0, max: 7 }),
      epoch: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ command: fc.constant('reduce' as const), replica }) },
);

const acquireFor = (callerName: string, newCalls = 1) => ({
  command: 'acquire' as const,
  replica: 'a',
  caller: callerName,
  pendingCalls: 1,
  newCalls,
});

/** Sequences that random ones rarely contain. */
const SEQUENCES = [
  // Two callers without slots request the slot that a third caller with all slots releases.
  [
    [
      { command: 'advance', ms: 6000 },
      ...Array.from({ length: 5 }, () => acquireFor('room service')),
      acquireFor('b 2'),
      acquireFor('ä'),
      { command: 'release', replica: 'a', index: 0, holdMs: 0 },
      acquireFor('ä', 0),
    ],
    5,
  ],
  // A caller without requests for two periods of 2.5 s does not count: the other caller is alone.
  [
    [
      { command: 'advance', ms: 6000 },
      acquireFor('b 2'),
      { command: 'release', replica: 'a', index: 0, holdMs: 0 },
      { command: 'advance', ms: 2500 },
      { command: 'advance', ms: 2500 },
      ...Array.from({ length: 6 }, () => acquireFor('room service')),
    ],
    5,
  ],
  // A replica without a heartbeat for five seconds is removed; the other one is not.
  [
    [
      { command: 'advance', ms: 2500 },
      { command: 'heartbeat', replica: 'b', fallbackSlots: 2, epoch: 2 },
      { command: 'advance', ms: 2500 },
      { command: 'heartbeat', replica: 'a', fallbackSlots: 2, epoch: 2 },
      { command: 'advance', ms: 2500 },
      { command: 'heartbeat', replica: 'a', fallbackSlots: 2, epoch: 2 },
      { command: 'heartbeat', replica: 'b', fallbackSlots: 2, epoch: 2 },
      { command: 'advance', ms: 2500 },
      { command: 'heartbeat', replica: 'a', fallbackSlots: 2, epoch: 2 },
      { command: 'advance', ms: 2501 },
      { command: 'heartbeat', replica: 'a', fallbackSlots: 2, epoch: 2 },
      { command: 'heartbeat', replica: 'b', fallbackSlots: 2, epoch: 2 },
    ],
    5,
  ],
  // A late heartbeat removes no other replica: the store was stopped for as long.
  [
    [
      { command: 'advance', ms: 6000 },
      { command: 'heartbeat', replica: 'a', fallbackSlots: 2, epoch: 2 },
      { command: 'heartbeat', replica: 'b', fallbackSlots: 2, epoch: 2 },
    ],
    5,
  ],
  // A replica that has just joined removes no other replica: the others may have been disconnected as long.
  [
    [
      { command: 'advance', ms: 6000 },
      { command: 'join', replica: 'a', fallbackSlots: 2, remaining: [] },
      { command: 'heartbeat', replica: 'a', fallbackSlots: 2, epoch: 3 },
      { command: 'heartbeat', replica: 'b', fallbackSlots: 2, epoch: 3 },
    ],
    5,
  ],
  // The capacity grows five seconds after it was reduced, to the millisecond, and then by one each second.
  [
    [
      { command: 'advance', ms: 6000 },
      { command: 'reduce', replica: 'a' },
      { command: 'advance', ms: 4999 },
      acquireFor('b 2'),
      { command: 'advance', ms: 1 },
      acquireFor('b 2'),
      { command: 'advance', ms: 999 },
      acquireFor('b 2'),
      { command: 'advance', ms: 1 },
      acquireFor('b 2'),
    ],
    20,
  ],
];

describe('the Redis scripts', () => {
  it(`return the same results as the model: ${RUNS.toLocaleString('en')} random sequences of up to 60 steps`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(1, 5, 20),
        async (steps, perSecond) => {
          await redis.flushall();
          const clock = new VirtualClock();
          const model = new ModelStore(perSecond, LEASE_MS, clock);
          const advance = async (ms: number): Promise<void> => {
            await clock.runUntil(clock.now() + ms);
            await redis.set('now', clock.now());
          };
          await advance(100_000);
          const incarnations = new Map<string, number>();
          const leaseIds: string[] = [];
          let idCount = 0;
          const stores = new Map(
            ['a', 'b', 'c'].map((name) => {
              const options = { scope: 'here/There', perSecond, replica: name, leaseMs: LEASE_MS };
              return [name, new RedisSlotStore(redis, options)];
            }),
          );
          const join = async (
            name: string,
            fallbackSlots: number,
            leases: LeaseSnapshot[],
          ): Promise<void> => {
            const incarnation = (incarnations.get(name) ?? 0) + 1;
            incarnations.set(name, incarnation);
            expect(await stores.get(name)!.join(incarnation, fallbackSlots, leases)).toEqual(
              model.join(name, incarnation, fallbackSlots, leases),
            );
          };
          await join('a', 0, []);
          await join('b', 0, []);
          for (const one of steps) {
            if (one.command === 'advance') {
              await advance(one.ms);
              continue;
            }
            const { replica: name } = one;
            const store = stores.get(name)!;
            const incarnation = incarnations.get(name) ?? 0;
            if (one.command === 'join') {
              const leases = one.remaining.map((expiresInMs) => ({
                id: `${name}/registered-${(idCount += 1)}`,
                caller: 'b 2',
                expiresInMs,
              }));
              leaseIds.push(...leases.map(({ id }) => id));
              await join(name, one.fallbackSlots, leases);
              continue;
            }
            const isMember = model.isMember(name, incarnation);
            let actual: unknown;
            let expected: unknown;
            if (one.command === 'acquire') {
              const id = `${name}/${(idCount += 1)}`;
              const reply = await store.acquire(incarnation, id, one).catch(toNotAMember);
              actual = withSortedExpiries(reply);
              expected = isMember ? withSortedExpiries(model.acquire(name, id, one)) : NOT_A_MEMBER;
              if (reply !== NOT_A_MEMBER && reply.decision === 'granted') leaseIds.push(id);
            } else if (one.command === 'release') {
              const id = leaseIds[one.index % Math.max(1, leaseIds.length)] ?? 'none';
              const snapshot = await store.release(incarnation, id, one.holdMs).catch(toNotAMember);
              actual = withSortedExpiries({ snapshot });
              expected = withSortedExpiries({
                snapshot: isMember ? model.release(name, id, one.holdMs) : NOT_A_MEMBER,
              });
            } else if (one.command === 'heartbeat') {
              actual = await store.heartbeat(incarnation, one).catch(toNotAMember);
              expected = isMember ? model.heartbeat(name, one) : NOT_A_MEMBER;
            } else {
              actual = await store.reduce(incarnation).catch(toNotAMember);
              expected = isMember ? model.reduce() : NOT_A_MEMBER;
            }
            expect(actual).toEqual(expected);
          }
        },
      ),
      { numRuns: RUNS, examples: SEQUENCES as never },
    );
  }, 120_000);

  it('ignore a registration that is older than the current one', async () => {
    await redis.flushall();
    await redis.set('now', 100_000);
    const options = { scope: 'older', perSecond: 20, replica: 'a', leaseMs: LEASE_MS };
    const store = new RedisSlotStore(redis, options);
    const leases = [{ id: 'a/1', caller: 'b', expiresInMs: Infinity }];
    expect(await store.join(2, 0, [])).toMatchObject({ epoch: 1 });
    expect(await store.join(1, 7, leases)).toEqual({
      fallbackSlots: 0,
      epoch: 0,
      warmupMs: 0,
    });
    await expect(store.heartbeat(1, { fallbackSlots: 7, epoch: 1 })).rejects.toThrow('not-a-member');
    expect(await store.release(2, 'a/1', 0)).toMatchObject({ expiresInMs: [] });
  });

  it('remove a silent replica, but not in a late heartbeat: the store itself may have been stopped', async () => {
    await redis.flushall();
    const [a, b] = ['a', 'b'].map(
      (name) => new RedisSlotStore(redis, { scope: 'late', perSecond: 20, replica: name, leaseMs: LEASE_MS }),
    ) as [RedisSlotStore, RedisSlotStore];
    const heartbeatAt = async (store: RedisSlotStore, ms: number): Promise<number> => {
      await redis.set('now', ms);
      return (await store.heartbeat(1, { fallbackSlots: 10, epoch: 2 })).fallbackSlots;
    };
    await redis.set('now', 100_000);
    for (const store of [a, b]) await store.join(1, 0, []);
    for (const ms of [102_000, 104_000]) for (const store of [a, b]) await heartbeatAt(store, ms);
    expect(await heartbeatAt(a, 110_000)).toBe(10);
    expect(await heartbeatAt(b, 110_000)).toBe(10);
    for (const ms of [112_000, 114_000]) expect(await heartbeatAt(a, ms)).toBe(10);
    expect(await heartbeatAt(a, 116_000)).toBe(20);
    await expect(heartbeatAt(b, 116_000)).rejects.toThrow('not-a-member');
  });

  it('remove a replica that closes its store, and its connection ends', async () => {
    await redis.flushall();
    await redis.set('now', 100_000);
    const options = { scope: 'closing', perSecond: 20, replica: 'a', leaseMs: LEASE_MS };
    const connection = new RedisWithTestClock(redisProcess.url);
    const connectionEnded = once(connection, 'end');
    const closing = new RedisSlotStore(connection, options);
    const sameReplica = new RedisSlotStore(redis, options);
    await closing.join(1, 0, []);
    expect(await sameReplica.heartbeat(1, { fallbackSlots: 0, epoch: 1 })).toMatchObject({ epoch: 1 });
    await closing.close();
    await connectionEnded;
    await expect(sameReplica.heartbeat(1, { fallbackSlots: 0, epoch: 1 })).rejects.toThrow('not-a-member');
  });
});

function toNotAMember(error: unknown): typeof NOT_A_MEMBER {
  if (error instanceof SlotStoreError && error.reason === NOT_A_MEMBER) return NOT_A_MEMBER;
  throw error;
}

/** Sorts expiry times, because a Redis hash has no order. */
function withSortedExpiries(reply: unknown): unknown {
  const { snapshot } = reply as { snapshot?: { expiresInMs?: number[] } };
  if (!snapshot?.expiresInMs) return reply;
  return {
    ...(reply as object),
    snapshot: { ...snapshot, expiresInMs: snapshot.expiresInMs.toSorted((a, b) => a - b) },
  };
}
