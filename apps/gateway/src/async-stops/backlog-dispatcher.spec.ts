import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AcquireOptions, Quota, type Slot } from '#libs/quota';
import { VirtualClock } from '../../../../libs/quota/test/virtual-clock.js';
import { BacklogDispatcher } from './backlog-dispatcher.js';
import type { ExecutionResult } from './stop-executor.js';
import type { TakenStop } from './stop-store.js';

const ROUND_TRIP_MS = 50;

let clock: VirtualClock;
let quota: Quota;
let rejections: string[];
let pending: Map<string, number>;
/** When the pending stops of a caller are due, if they are delayed. */
let dueAt: Map<string, number>;
/** The executions, with their times. */
let executed: { caller: string; at: number }[];
let respond: (caller: string) => ExecutionResult;
let onFoundNothing: () => void;
let isDraining: boolean;
/** How many slots the dispatcher has requested. */
let requests: number;
let dispatcher: BacklogDispatcher;

beforeEach(async () => {
  clock = new VirtualClock();
  rejections = [];
  quota = new Quota({ perSecond: 20, clock, observer: { rejected: (reason) => rejections.push(reason) } });
  pending = new Map();
  dueAt = new Map();
  executed = [];
  respond = () => ({});
  onFoundNothing = () => {};
  isDraining = false;
  requests = 0;
  dispatcher = new BacklogDispatcher({
    quota: { acquire },
    clock,
    wallClockMs: () => clock.now(),
    isDraining: () => isDraining,
    track: (execution) => void execution.catch(() => {}),
    store: { nextDueAt, take },
    executor: {
      isExpired: ({ caller }) => caller === 'expired',
      expire: () => new Promise(() => {}),
      execute,
    },
  });
  await clock.runUntil(1500);
  void dispatcher.run();
});

function acquire(options: AcquireOptions): Promise<Slot> {
  requests += 1;
  return quota.acquire(options);
}

async function nextDueAt(caller: string): Promise<number> {
  if ((pending.get(caller) ?? 0) === 0) {
    onFoundNothing();
    return Infinity;
  }
  return dueAt.get(caller) ?? 0;
}

async function take(caller: string): Promise<TakenStop | undefined> {
  const count = pending.get(caller) ?? 0;
  if ((await nextDueAt(caller)) > clock.now()) return undefined;
  pending.set(caller, count - 1);
  return { caller } as TakenStop;
}

async function execute({ caller }: TakenStop, slot: Slot): Promise<ExecutionResult> {
  executed.push({ caller, at: clock.now() });
  await new Promise<void>((resolve) => clock.setTimer(ROUND_TRIP_MS, resolve));
  slot.release('completed');
  return respond(caller);
}

function submit(caller: string, count: number): void {
  pending.set(caller, (pending.get(caller) ?? 0) + count);
  dispatcher.added(caller);
}

const lastOf = (caller: string): number => executed.findLast((stop) => stop.caller === caller)!.at;

describe('BacklogDispatcher', () => {
  it('drains a backlog of 1000 at 0.95 or more of the rate that the quota rule allows', async () => {
    submit('a', 1000);
    await clock.runUntil(120_000);
    expect(executed).toHaveLength(1000);
    const seconds = (lastOf('a') - 1500) / 1000;
    expect(1000 / seconds / (20 / (1 + ROUND_TRIP_MS / 1000))).toBeGreaterThanOrEqual(0.95);
  });

  it('executes 10 stops of one caller within twice the time of its fair share, behind 1000 of another', async () => {
    submit('a', 1000);
    await clock.runUntil(10_000);
    submit('b', 10);
    await clock.runUntil(40_000);
    const fairShareMs = (10 / (20 / (1 + ROUND_TRIP_MS / 1000) / 2)) * 1000;
    expect(executed.filter(({ caller }) => caller === 'b')).toHaveLength(10);
    expect(lastOf('b') - 10_000).toBeLessThanOrEqual(2 * fairShareMs);
  });

  it('reports no rejection of the quota, and leaves no call in its queue', async () => {
    submit('a', 100);
    await clock.runUntil(4000);
    expect(rejections).toEqual([]);
    expect(quota.state().queueLength).toBe(0);
  });

  it('lets a call of the same caller that waits go first', async () => {
    submit('a', 1000);
    await clock.runUntil(5000);
    const before = executed.length;
    const call = quota.acquire({ caller: 'a', waitMs: 5000 });
    const acquired = call.then((slot) => {
      slot.release('completed');
      return executed.length - before;
    });
    await clock.runUntil(8000);
    expect(await acquired).toBeLessThanOrEqual(1);
  });

  it('leaves slots to calls of the same caller that do not wait, as many as they need', async () => {
    submit('a', 1000);
    await clock.runUntil(5000);
    const results: boolean[] = [];
    // Two at once, twice a second.
    for (let at = 5000; at < 25_000; at += 500) {
      await clock.runUntil(at);
      for (let call = 0; call < 2; call += 1) {
        const acquired = quota.acquire({ caller: 'a' });
        results.push(
          await acquired.then(
            (slot) => (slot.release('completed'), true),
            () => false,
          ),
        );
      }
    }
    // The first ones only show what is needed.
    expect(results.slice(4)).toEqual(results.slice(4).map(() => true));
    await clock.runUntil(35_000);
    // Few requests are rejected while the free slots are reserved.
    expect(requests - executed.length).toBeLessThanOrEqual(35 * 10);
    // The backlog has the rest: 4 of 19 a second are for the other calls.
    expect(executed.filter(({ at }) => at >= 7000 && at < 25_000).length).toBeGreaterThanOrEqual(18 * 13);
  });

  it('pauses after a problem that every stop has, and then tries one stop at a time', async () => {
    respond = () => ({ pauseMs: 5000 });
    submit('a', 100);
    // Those that are sent before the first response do not know of the problem.
    await clock.runUntil(4000);
    const before = executed.length;
    await clock.runUntil(54_000);
    expect(executed.length - before).toBeGreaterThanOrEqual(9);
    expect(executed.length - before).toBeLessThanOrEqual(10);
    respond = () => ({});
    await clock.runUntil(120_000);
    expect(executed).toHaveLength(100);
  });

  it('takes no stop while it drains', async () => {
    submit('a', 1000);
    await clock.runUntil(3000);
    const before = executed.length;
    isDraining = true;
    await clock.runUntil(10_000);
    expect(executed.length - before).toBeLessThanOrEqual(1);
  });

  it('demands no slot for callers whose stops are not due, or that have none', async () => {
    for (let number = 0; number < 5; number += 1) dueAt.set(`delayed-${number}`, 30_000);
    for (const caller of dueAt.keys()) pending.set(caller, 1);
    dispatcher.setCallers([...dueAt.keys(), 'empty-0', 'empty-1', 'empty-2', 'empty-3', 'empty-4']);
    const granted: Promise<number>[] = [];
    for (let at = 5000; at < 25_000; at += 20) {
      await clock.runUntil(at);
      const acquired = quota.acquire({ caller: 'flood' });
      granted.push(
        acquired.then(
          (slot) => (slot.release('completed'), 1),
          () => 0,
        ),
      );
    }
    const grants = (await Promise.all(granted)).reduce((sum, each) => sum + each, 0);
    expect(grants).toBeGreaterThanOrEqual(20 * 18);
    for (let at = 25_000; at < 32_000; at += 20) await clock.runUntil(at);
    expect(executed.map(({ caller }) => caller).toSorted()).toEqual([...dueAt.keys()]);
    expect(executed.every(({ at }) => at >= 30_000 && at < 31_000)).toBe(true);
  });

  it('holds no slot while Redis does not store that a stop is expired', async () => {
    submit('expired', 1);
    await clock.runUntil(2000);
    expect(pending.get('expired')).toBe(0);
    expect(quota.state().inUse).toBe(0);
  });

  it('notices a stop that is added while it looks for one', async () => {
    submit('a', 1);
    await clock.runUntil(1600);
    onFoundNothing = () => {
      onFoundNothing = () => {};
      submit('a', 1);
    };
    await clock.runUntil(5000);
    expect(executed).toHaveLength(2);
    // It looks once a second, and the next look would be the second one.
    expect(executed[1]!.at - 1500).toBeLessThan(1500);
  });

  it('notices a stop of a caller that had none, and one that another replica accepted', async () => {
    submit('a', 1);
    await clock.runUntil(1600);
    submit('a', 1);
    await clock.runUntil(1700);
    expect(executed.map(({ at }) => at)).toEqual([1500, 1600]);
    pending.set('b', 1);
    dispatcher.setCallers(['a', 'b']);
    await clock.runUntil(1710);
    expect(executed.at(-1)).toEqual({ caller: 'b', at: 1700 });
  });
});
