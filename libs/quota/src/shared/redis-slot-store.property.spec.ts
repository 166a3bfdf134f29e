import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { RedisProcess } from '../../../../test/support/redis.js';
import { ModelStore, type Sender } from '../../test/model-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { scaledRuns } from '../../test/scaled-runs.js';
import type { AcquireRequest } from '../slot-pool.js';
import { maxLeaseMs } from '../timing.js';
import { type LeaseSnapshot, NOT_A_MEMBER, SlotStoreError } from './slot-store.js';
import { RedisSlotStore } from './redis-slot-store.js';
import { StoreClock } from './store-clock.js';

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

/** Makes the scripts read the time of the server from the key `now`. */
class RedisWithTestClock extends Redis {
  override defineCommand(name: string, { lua, ...definition }: { lua: string; numberOfKeys?: number }): void {
    const testClock = "{ redis.call('GET', 'now') / 1000 }";
    super.defineCommand(name, { ...definition, lua: lua.replaceAll("redis.call('TIME')", testClock) });
  }
}

const clock = new VirtualClock();

function createStore(scope: string, name: string, perSecond = 20, connection = redis): RedisSlotStore {
  return new RedisSlotStore(connection, { scope, perSecond, replica: name, leaseMs: LEASE_MS, clock });
}

const replica = fc.constantFrom('a', 'b', 'c');
const caller = fc.constantFrom('room service', 'b 2', 'ä');
const report: fc.Arbitrary<AcquireRequest> = fc.record({
  caller,
  pendingCalls: fc.integer({ min: 1, max: 6 }),
  newCalls: fc.integer({ min: 0, max: 6 }),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      command: fc.constant('acquire' as const),
      replica,
      caller,
      pendingCalls: fc.integer({ min: 1, max: 6 }),
      newCalls: fc.integer({ min: 0, max: 6 }),
      isBackground: fc.boolean(),
      reports: fc.oneof(
        { weight: 2, arbitrary: fc.constant<AcquireRequest[]>([]) },
        fc.uniqueArray(report, { maxLength: 3, selector: ({ caller: name }) => name }),
      ),
      isRenewal: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
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
  {
    weight: 1,
    arbitrary: fc.record({
      command: fc.constant('step server clock' as const),
      ms: fc.constantFrom(-600_000, -5000, -1000, 1000, 5000, 600_000),
    }),
  },
);

const acquireFor = (callerName: string, newCalls = 1) => ({
  command: 'acquire' as const,
  replica: 'a',
  caller: callerName,
  pendingCalls: 1,
  newCalls,
  reports: [] as AcquireRequest[],
  isRenewal: false,
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
  // A second reduction in the same second changes nothing but the clock of the store, which it must keep.
  [
    [
      { command: 'reduce', replica: 'a' },
      { command: 'advance', ms: 1 },
      { command: 'reduce', replica: 'a' },
      { command: 'join', replica: 'a', fallbackSlots: 0, remaining: [] },
    ],
    1,
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
          let serverTime = 1_000_000;
          await redis.set('now', serverTime);
          const model = new ModelStore(perSecond, LEASE_MS);
          const incarnations = new Map<string, number>();
          const leaseIds: string[] = [];
          let idCount = 0;
          const stores = new Map(
            ['a', 'b', 'c'].map((name) => [name, createStore('here/There', name, perSecond)]),
          );
          const modelClocks = new Map<string, StoreClock>();
          /** Executes a command in the model as a client does. */
          const executeInModel = <T>(name: string, command: (sender: Sender) => T): T => {
            const modelClock = modelClocks.get(name) ?? new StoreClock(clock);
            const sender = {
              replica: name,
              incarnation: incarnations.get(name) ?? 0,
              proof: modelClock.proof(),
            };
            const result = command(sender);
            if (result !== NOT_A_MEMBER) modelClock.observe(Math.floor(model.clock!), model.stamp);
            return result;
          };
          const join = async (
            name: string,
            fallbackSlots: number,
            leases: LeaseSnapshot[],
          ): Promise<void> => {
            incarnations.set(name, (incarnations.get(name) ?? 0) + 1);
            modelClocks.set(name, new StoreClock(clock));
            const actual = await stores.get(name)!.join(incarnations.get(name)!, fallbackSlots, leases);
            const expected = executeInModel(name, (sender) =>
              model.join(sender, fallbackSlots, leases, serverTime),
            );
            expect(withSortedExpiries(actual)).toEqual(withSortedExpiries(expected));
          };
          await join('a', 0, []);
          await join('b', 0, []);
          for (const one of steps) {
            if (one.command === 'advance') {
              await clock.runUntil(clock.now() + one.ms);
              continue;
            }
            if (one.command === 'step server clock') {
              serverTime += one.ms;
              await redis.set('now', serverTime);
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
            const execute = <T>(command: (now: number) => T) =>
              executeInModel(name, (sender) => model.execute(sender, command));
            let actual: unknown;
            let expected: unknown;
            if (one.command === 'acquire') {
              const { isRenewal, ...request } = one;
              const reports: AcquireRequest[] = one.reports;
              const id = isRenewal ? undefined : `${name}/${(idCount += 1)}`;
              const requests = [request, ...reports];
              const decided = isRenewal
                ? store.renew(incarnation, requests)
                : store.acquire(incarnation, id!, requests);
              const reply = await decided.catch(toNotAMember);
              actual = withSortedExpiries(reply);
              expected = withSortedExpiries(execute((now) => model.decide(name, id, requests, now)));
              if (id && reply !== NOT_A_MEMBER && reply.decisions[0] === 'granted') leaseIds.push(id);
            } else if (one.command === 'release') {
              const id = leaseIds[one.index % Math.max(1, leaseIds.length)] ?? 'none';
              const snapshot = await store.release(incarnation, id, one.holdMs).catch(toNotAMember);
              actual = withSortedExpiries({ snapshot });
              expected = withSortedExpiries({
                snapshot: execute((now) => model.release(name, id, one.holdMs, now)),
              });
            } else if (one.command === 'heartbeat') {
              actual = withSortedExpiries(await store.heartbeat(incarnation, one).catch(toNotAMember));
              expected = withSortedExpiries(execute((now) => model.heartbeat(name, one, now)));
            } else {
              actual = await store.reduce(incarnation).catch(toNotAMember);
              expected = execute((now) => model.reduce(now));
            }
            expect(actual).toEqual(expected);
          }
        },
      ),
      { numRuns: RUNS, examples: SEQUENCES as never },
    );
  }, 120_000);

  it('ignore a registration that is older than the current one', async () => {
    const store = createStore('older', 'a');
    const leases = [{ id: 'a/1', caller: 'b', expiresInMs: Infinity }];
    expect(await store.join(2, 0, [])).toMatchObject({ epoch: 1 });
    await expect(store.join(1, 7, leases)).rejects.toThrow('not-a-member');
    await expect(store.heartbeat(1, { fallbackSlots: 7, epoch: 1 })).rejects.toThrow('not-a-member');
    expect(await store.release(2, 'a/1', 0)).toMatchObject({ expiresInMs: [] });
  });

  it('remove a silent replica, but not in a late heartbeat: all replicas may have been stopped', async () => {
    const [a, b] = [createStore('late', 'a'), createStore('late', 'b')];
    const start = clock.now();
    const heartbeatAt = async (store: RedisSlotStore, ms: number): Promise<number> => {
      await clock.runUntil(start + ms);
      return (await store.heartbeat(1, { fallbackSlots: 10, epoch: 2 })).fallbackSlots;
    };
    for (const store of [a, b]) await store.join(1, 0, []);
    for (const ms of [2000, 4000]) for (const store of [a, b]) await heartbeatAt(store, ms);
    expect(await heartbeatAt(a, 10_000)).toBe(10);
    expect(await heartbeatAt(b, 10_000)).toBe(10);
    for (const ms of [12_000, 14_000]) expect(await heartbeatAt(a, ms)).toBe(10);
    expect(await heartbeatAt(a, 16_000)).toBe(20);
    await expect(heartbeatAt(b, 16_000)).rejects.toThrow('not-a-member');
  });

  it('remove a replica that closes its store, and its connection ends', async () => {
    const connection = new RedisWithTestClock(redisProcess.url);
    const connectionEnded = once(connection, 'end');
    const closing = createStore('closing', 'a', 20, connection);
    const sameReplica = createStore('closing', 'a');
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
  if (reply === NOT_A_MEMBER) return reply;
  const { snapshot } = reply as { snapshot?: { expiresInMs?: number[] } };
  if (!snapshot?.expiresInMs) return reply;
  return {
    ...(reply as object),
    snapshot: { ...snapshot, expiresInMs: snapshot.expiresInMs.toSorted((a, b) => a - b) },
  };
}
