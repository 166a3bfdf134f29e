import { beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { Quota, type ReleaseReason, type Slot } from '#libs/quota';
import type { StopResult } from '#libs/tencent-cloud';
import { VirtualClock } from '../../../../libs/quota/test/virtual-clock.js';
import { CoalescingMetrics } from './coalescing-metrics.js';
import { EndedTaskCache } from './ended-task-cache.js';
import { type JoinedStop, type SendStop, type SharedCall, StopCoalescer } from './stop-coalescer.js';

const TASK = { taskId: 't', sdkAppId: 1400000001, region: 'ap-singapore' };
const STOPPED: StopResult = { status: 'stopped', requestId: 'cloud-1' };

let clock: VirtualClock;
let quota: Quota;
let registry: Registry;
let coalescer: StopCoalescer;
let holding: Slot;
/** The admitted calls, with their times. */
let sent: string[];
/** The results of the requests, with their times. */
let outcomes: string[];
/** The response to all admitted calls. */
let respond: PromiseWithResolvers<StopResult>;

beforeEach(async () => {
  clock = new VirtualClock();
  quota = new Quota({ perSecond: 1, clock, queueLimit: 3 });
  registry = new Registry();
  coalescer = new StopCoalescer(quota, new EndedTaskCache(), new CoalescingMetrics(registry), clock, 3);
  [sent, outcomes] = [[], []];
  respond = Promise.withResolvers();
  respond.promise.catch(() => {});
  await clock.runUntil(1500);
  holding = await quota.acquire({ caller: 'holder' });
});

const send: SendStop = async (call: SharedCall) => {
  const slot = await call.acquireFirstSlot();
  sent.push(`for ${call.caller} at ${clock.now()}`);
  try {
    return await respond.promise;
  } finally {
    slot.release('completed');
  }
};

interface Request {
  caller?: string;
  waitMs?: number;
  client?: AbortController;
  task?: typeof TASK;
  sendWith?: SendStop;
  maxAttempts?: number;
}

function join(name: string, request: Request = {}): JoinedStop {
  const { caller = name, waitMs = 0, client = new AbortController(), task = TASK, sendWith = send } = request;
  const limit = request.maxAttempts === undefined ? {} : { maxAttempts: request.maxAttempts };
  const requester = { caller, waitMs, signal: () => client.signal, ...limit };
  const joined = coalescer.join(task, requester, sendWith);
  joined.result.then(
    ({ status }) => outcomes.push(`${name} ${status} at ${clock.now()}`),
    (error: Error & { code?: string }) =>
      outcomes.push(`${name} ${error.code ?? error.message} at ${clock.now()}`),
  );
  return joined;
}

const coalesced = async (source: string): Promise<number | undefined> => {
  const { values } = await registry.getSingleMetric('ingest_gateway_stop_requests_coalesced_total')!.get();
  return values.find(({ labels }) => labels['source'] === source)?.value;
};

describe('StopCoalescer', () => {
  it('allows as many attempts as the request that needs the most, also if it joins after admission', async () => {
    holding.release('unused');
    let call!: SharedCall;
    const sendWith: SendStop = (shared) => send((call = shared));
    join('a', { maxAttempts: 1, sendWith });
    await clock.runUntil(1600);
    expect(call.maxAttempts).toBe(1);
    join('b', { maxAttempts: 2 });
    expect(call.maxAttempts).toBe(2);
    join('c');
    expect(call.maxAttempts).toBeUndefined();
  });

  it('shares one call and its result, also with requests that join after admission', async () => {
    holding.release('unused');
    const first = join('a');
    const second = join('b');
    await clock.runUntil(1600);
    const third = join('c');
    respond.resolve(STOPPED);
    await clock.runUntil(1700);
    expect(sent).toEqual(['for a at 1500']);
    expect(outcomes).toEqual(['a stopped at 1600', 'b stopped at 1600', 'c stopped at 1600']);
    expect(first).toMatchObject({ waitsForSlot: true });
    expect(first.coalesced).toBeUndefined();
    expect(second).toMatchObject({ coalesced: 'in_flight', waitsForSlot: true });
    expect(third).toMatchObject({ coalesced: 'in_flight', waitsForSlot: false });
    expect([second.upstreamCall, third.upstreamCall]).toEqual([first.upstreamCall, first.upstreamCall]);
    expect(await coalesced('in_flight')).toBe(2);
    expect(await coalesced('cache')).toBe(0);
  });

  it('shares the error of a call, and makes a new call for the next request', async () => {
    holding.release('unused');
    join('a');
    join('b');
    respond.reject(new Error('failed'));
    await clock.runUntil(1600);
    expect(outcomes).toEqual(['a failed at 1500', 'b failed at 1500']);
    expect(coalescer.hasNoKnownState(TASK)).toBe(true);
    join('c', { waitMs: 5000 });
    await clock.runUntil(9000);
    expect(sent).toEqual(['for a at 1500', 'for c at 2500']);
  });

  it('limits the requests that wait for calls of others, and leaves places for other callers', async () => {
    coalescer = new StopCoalescer(
      quota,
      new EndedTaskCache(),
      new CoalescingMetrics(new Registry()),
      clock,
      4,
    );
    holding.release('unused');
    join('leader', { caller: 'x' });
    await clock.runUntil(1600);
    for (const n of [1, 2, 3]) join(`x${n}`, { caller: 'x' });
    for (const n of [1, 2]) join(`y${n}`, { caller: 'y' });
    await clock.runUntil(1650);
    expect(outcomes).toEqual(['x3 quota-exhausted at 1600', 'y2 quota-exhausted at 1600']);
    respond.resolve(STOPPED);
    await clock.runUntil(1700);
    expect(outcomes.slice(2)).toEqual(['leader', 'x1', 'x2', 'y1'].map((name) => `${name} stopped at 1650`));
  });

  it('counts a request that leads after a wait as one with a call of its own', async () => {
    const client = new AbortController();
    join('a', { waitMs: 5000, client });
    join('b', { waitMs: 5000 });
    await clock.runUntil(1600);
    client.abort(new Error('disconnected'));
    holding.release('unused');
    await clock.runUntil(5000);
    respond.resolve(STOPPED);
    await clock.runUntil(5100);
    expect(outcomes).toEqual(['a disconnected at 1600', 'b stopped at 5000']);
    expect(await coalesced('in_flight')).toBe(0);
  });

  it('shares nothing when the task id, the SdkAppId or the region differs', async () => {
    const tasks = [
      TASK,
      { ...TASK, sdkAppId: 1400000002 },
      { ...TASK, region: 'ap-mumbai' },
      { ...TASK, taskId: 'u' },
    ];
    const joined = tasks.map((task) => join(task.taskId, { task }));
    expect(joined.map((one) => one.coalesced)).toEqual([undefined, undefined, undefined, undefined]);
    await clock.runUntil(1600);
    expect(outcomes).toHaveLength(4);
  });

  it('makes no call for a task that is known to have ended', async () => {
    holding.release('unused');
    respond.resolve(STOPPED);
    join('a');
    await clock.runUntil(1600);
    const later = join('b');
    expect(later).toMatchObject({ coalesced: 'cache', waitsForSlot: false });
    expect(await later.result).toEqual({ status: 'already-finished', requestId: 'cloud-1' });
    expect(sent).toHaveLength(1);
    expect(await coalesced('cache')).toBe(1);
    expect(coalescer.hasNoKnownState(TASK)).toBe(false);
  });

  it('knows the state of a task while its call is in flight', async () => {
    expect(coalescer.hasNoKnownState(TASK)).toBe(true);
    join('a', { waitMs: 5000 });
    expect(coalescer.hasNoKnownState(TASK)).toBe(false);
    expect(coalescer.hasNoKnownState({ ...TASK, taskId: 'other' })).toBe(true);
  });
});

describe('StopCoalescer before admission', () => {
  it('rejects a follower that may not wait, while the leader waits', async () => {
    join('leader', { waitMs: 5000 });
    join('hasty');
    respond.resolve(STOPPED);
    await clock.runUntil(1600);
    expect(outcomes).toEqual(['hasty quota-exhausted at 1500']);
    holding.release('completed');
    await clock.runUntil(5000);
    expect(outcomes.slice(1)).toEqual(['leader stopped at 2600']);
  });

  it('rejects a follower at the end of its wait', async () => {
    join('leader', { waitMs: 5000 });
    join('follower', { waitMs: 700 });
    await clock.runUntil(9000);
    expect(outcomes).toEqual(['follower quota-exhausted at 2200', 'leader quota-exhausted at 6500']);
    expect(sent).toEqual([]);
  });

  it('serves a follower that may not wait together with the leader at the end of the startup delay', async () => {
    clock = new VirtualClock();
    quota = new Quota({ perSecond: 1, clock });
    coalescer = new StopCoalescer(
      quota,
      new EndedTaskCache(),
      new CoalescingMetrics(new Registry()),
      clock,
      3,
    );
    respond.resolve(STOPPED);
    join('leader');
    join('follower');
    await clock.runUntil(9000);
    expect(outcomes).toEqual(['leader stopped at 1500', 'follower stopped at 1500']);
  });

  it('makes the next follower the leader after a rejection, with its own caller and its remaining wait', async () => {
    join('leader', { waitMs: 1500 });
    await clock.runUntil(2000);
    join('second', { caller: 'other', waitMs: 9000 });
    join('third', { caller: 'other', waitMs: 9000 });
    await clock.runUntil(8000);
    expect(outcomes).toEqual(['leader quota-exhausted at 3000']);
    expect(quota.state().queueLength).toBe(2);
    holding.release('unused');
    await clock.runUntil(8100);
    expect(sent).toEqual(['for other at 8000']);
    respond.resolve(STOPPED);
    await clock.runUntil(8200);
    expect(outcomes.slice(1)).toEqual(['second stopped at 8100', 'third stopped at 8100']);
  });

  it('makes a follower that may not wait the leader after an immediate rejection, with the share of its own caller', async () => {
    quota = new Quota({ perSecond: 2, clock });
    coalescer = new StopCoalescer(
      quota,
      new EndedTaskCache(),
      new CoalescingMetrics(new Registry()),
      clock,
      3,
    );
    await clock.runUntil(5000);
    await quota.acquire({ caller: 'greedy' });
    const slot = await quota.acquire({ caller: 'greedy' });
    await quota.acquire({ caller: 'modest' }).catch(() => {});
    slot.release('unused');
    join('greedy');
    join('modest');
    respond.resolve(STOPPED);
    await clock.runUntil(5001);
    expect(outcomes).toEqual(['greedy share-exhausted at 5000', 'modest stopped at 5000']);
    expect(sent).toEqual(['for modest at 5000']);
  });

  it('makes the next follower the leader when the client of the leader disconnects', async () => {
    const client = new AbortController();
    const leader = join('leader', { waitMs: 5000, client });
    const follower = { caller: 'follower', waitMs: 5000 };
    const [next, last] = [join('next', follower), join('last', follower)];
    await clock.runUntil(1600);
    client.abort(new Error('disconnected'));
    holding.release('unused');
    respond.resolve(STOPPED);
    await clock.runUntil(1700);
    expect(outcomes).toEqual(['leader disconnected at 1600', 'next stopped at 1600', 'last stopped at 1600']);
    expect(sent).toEqual(['for follower at 1600']);
    // The log entry without `coalesced` names the request that stopped the task.
    expect([leader, next, last].map((one) => one.coalesced)).toEqual([undefined, undefined, 'in_flight']);
  });

  it('removes a follower whose client disconnects, while the others wait', async () => {
    const client = new AbortController();
    join('leader', { waitMs: 5000 });
    join('follower', { waitMs: 5000, client });
    await clock.runUntil(1600);
    expect(quota.state().queueLength).toBe(2);
    client.abort(new Error('disconnected'));
    await clock.runUntil(1700);
    expect(quota.state().queueLength).toBe(1);
    expect(outcomes).toEqual(['follower disconnected at 1600']);
  });

  it('ends a call without requests unsent, and makes a new call for the next request', async () => {
    const draining = new AbortController();
    join('leader', { waitMs: 5000, client: draining });
    join('follower', { waitMs: 5000, client: draining });
    await clock.runUntil(1600);
    draining.abort(new Error('draining'));
    await clock.runUntil(1600);
    expect(outcomes.toSorted()).toEqual(['follower draining at 1600', 'leader draining at 1600']);
    expect(quota.state().queueLength).toBe(0);
    expect(coalescer.hasNoKnownState(TASK)).toBe(true);
    expect(join('later', { waitMs: 5000 }).coalesced).toBeUndefined();
    holding.release('unused');
    respond.resolve(STOPPED);
    await clock.runUntil(1700);
    expect(sent).toEqual(['for later at 1600']);
  });

  it('makes a new call for a request that arrives while a call without requests is ending', async () => {
    const ending = Promise.withResolvers<void>();
    join('first', {
      sendWith: async (call) => {
        await call.acquireFirstSlot().catch(() => {});
        await ending.promise;
        throw new Error('ended unsent');
      },
    });
    await clock.runUntil(1600);
    holding.release('unused');
    expect(join('second', { caller: 'first' }).coalesced).toBeUndefined();
    await clock.runUntil(1700);
    ending.resolve();
    await clock.runUntil(1800);
    expect(join('third').coalesced).toBe('in_flight');
    respond.resolve(STOPPED);
    await clock.runUntil(1900);
    expect(outcomes).toEqual([
      'first quota-exhausted at 1500',
      'second stopped at 1800',
      'third stopped at 1800',
    ]);
  });

  it('counts followers against the queue limit, per caller and in total', async () => {
    join('leader', { waitMs: 9000 });
    join('a1', { caller: 'a', waitMs: 9000 });
    join('a2', { caller: 'a', waitMs: 9000 });
    await clock.runUntil(1600);
    expect(quota.state().queueLength).toBe(3);
    join('a3', { caller: 'a', waitMs: 9000 });
    await clock.runUntil(1700);
    expect(outcomes).toEqual(['a3 quota-exhausted at 1600']);
    join('b', { waitMs: 9000 });
    await clock.runUntil(1800);
    expect(outcomes.slice(1)).toEqual(['a2 quota-exhausted at 1700']);
    expect(quota.state().queueLength).toBe(3);
  });

  it('rejects all requests when the quota is closed', async () => {
    join('leader', { waitMs: 9000 });
    join('follower', { waitMs: 9000 });
    await clock.runUntil(1600);
    await quota.close();
    await clock.runUntil(1700);
    expect(outcomes.toSorted()).toEqual(['follower quota-closed at 1600', 'leader quota-closed at 1600']);
    expect(clock.pending).toBe(0);
  });

  it('rejects all requests with an error of the call itself', async () => {
    join('leader', { waitMs: 9000, sendWith: () => Promise.reject(new Error('circuit open')) });
    join('follower', { waitMs: 9000 });
    await clock.runUntil(1600);
    expect(outcomes).toEqual(['leader circuit open at 1500', 'follower circuit open at 1500']);
    expect(quota.state().queueLength).toBe(0);
  });
});

describe('StopCoalescer after admission', () => {
  it('completes the call and shares its outcome even if every client disconnects', async () => {
    holding.release('unused');
    const client = new AbortController();
    join('leader', { waitMs: 9000, client });
    join('follower', { client });
    await clock.runUntil(1600);
    client.abort(new Error('disconnected'));
    await clock.runUntil(1700);
    expect(outcomes).toEqual([]);
    respond.resolve(STOPPED);
    await clock.runUntil(1800);
    expect(outcomes).toEqual(['leader stopped at 1700', 'follower stopped at 1700']);
  });

  it('removes followers from the queue, even if the call takes long', async () => {
    holding.release('unused');
    join('leader');
    join('follower', { waitMs: 100 });
    await clock.runUntil(9000);
    expect(quota.state().queueLength).toBe(0);
    expect(outcomes).toEqual([]);
  });
});

describe('the slot of the leader', () => {
  it('is released as unused when the call ends without using it', async () => {
    holding.release('unused');
    join('a', {
      sendWith: async (call) => {
        await call.acquireFirstSlot();
        throw new Error('not sent');
      },
    });
    await clock.runUntil(1500);
    expect(outcomes).toEqual(['a not sent at 1500']);
    expect(quota.state()).toMatchObject({ free: 1, inUse: 0 });
  });

  it('is released as unused when it is granted after the call has ended', async () => {
    join('a', {
      waitMs: 9000,
      sendWith: async (call) => {
        call.acquireFirstSlot().catch(() => {});
        throw new Error('not sent');
      },
    });
    await clock.runUntil(1600);
    expect(outcomes).toEqual(['a not sent at 1500']);
    holding.release('unused');
    await clock.runUntil(1700);
    expect(quota.state()).toMatchObject({ free: 1, inUse: 0, queueLength: 0 });
  });

  it('is acquired once, even if it is requested twice', async () => {
    quota = new Quota({ perSecond: 2, clock });
    coalescer = new StopCoalescer(
      quota,
      new EndedTaskCache(),
      new CoalescingMetrics(new Registry()),
      clock,
      3,
    );
    const reasons: ReleaseReason[] = [];
    join('a', {
      sendWith: async (call) => {
        const slots = [await call.acquireFirstSlot(), await call.acquireFirstSlot()];
        expect(slots[0]).toBe(slots[1]);
        reasons.push('completed');
        slots[0]!.release('completed');
        return STOPPED;
      },
    });
    await clock.runUntil(3000);
    expect(reasons).toEqual(['completed']);
    expect(quota.state().inUse).toBe(1);
  });
});

describe('on shutdown', () => {
  it('closes the feed of ended tasks', () => {
    const calls: string[] = [];
    const feed = {
      subscribe: () => void calls.push('subscribe'),
      publish: () => {},
      close: () => void calls.push('close'),
    };
    const metrics = new CoalescingMetrics(new Registry());
    new StopCoalescer(quota, new EndedTaskCache(feed), metrics, clock, 3).onApplicationShutdown();
    expect(calls).toEqual(['subscribe', 'close']);
  });
});
