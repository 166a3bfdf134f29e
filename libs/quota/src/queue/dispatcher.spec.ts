import { beforeEach, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import type { Slot } from '../slot-pool.js';

let clock: VirtualClock;
let quota: Quota;
let slots: Slot[];
const rejections: string[] = [];
const events: string[] = [];

beforeEach(async () => {
  rejections.length = 0;
  events.length = 0;
  clock = new VirtualClock();
  const observer = {
    granted: () => {},
    rejected: (reason: string) => void rejections.push(reason),
    reduced: () => {},
  };
  quota = new Quota({ perSecond: 2, clock, queueLimit: 4, observer });
  await clock.runUntil(1500);
  slots = [await quota.acquire({ caller: 'before' }), await quota.acquire({ caller: 'before' })];
});

/** Notes when a call is served or refused. */
function request(caller: string, name: string, waitMs = 9000): void {
  void acquire(caller, name, waitMs);
}

async function acquire(caller: string, name: string, waitMs: number): Promise<void> {
  try {
    (await quota.acquire({ caller, waitMs })).release('completed');
    events.push(name);
  } catch (error) {
    events.push(`${name} ${(error as { code: string }).code}`);
  }
}

describe('callers that wait', () => {
  it('take turns, each first come first served', async () => {
    for (const name of ['a1', 'a2', 'b1', 'a3']) request(name[0]!, name);
    for (const slot of slots) slot.release('completed');
    await clock.runUntil(20_000);
    expect(events).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('are refused when too many wait, and told as much', async () => {
    for (let n = 1; n <= 5; n += 1) request('a', `a${n}`);
    await clock.runUntil(1600);
    expect(events).toEqual(['a5 quota-exhausted']);
    expect(rejections).toEqual(['queue']);
    expect(quota.state().queueLength).toBe(4);
  });

  it('give up the last place of whoever has the most to one that has fewer', async () => {
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3']) request(name[0]!, name);
    await clock.runUntil(1600);
    expect(events).toEqual(['a4 quota-exhausted', 'a3 quota-exhausted', 'b3 quota-exhausted']);
  });

  it('have no timer each, and none once nobody waits', async () => {
    for (let n = 1; n <= 4; n += 1) request(`c${n}`, `c${n}`);
    await clock.runUntil(1600);
    expect(clock.pending).toBe(1);
    await quota.close();
    await clock.runUntil(1600);
    expect(events).toEqual([1, 2, 3, 4].map((n) => `c${n} quota-closed`));
    expect(clock.pending).toBe(0);
    expect(quota.state().queueLength).toBe(0);
  });
});

describe('a caller over its share', () => {
  it('is told that it is its share that is used up, and when a slot could free', async () => {
    request('other', 'other', 0);
    slots[0]!.release('completed');
    await clock.runUntil(2600);
    await expect(quota.acquire({ caller: 'before' })).rejects.toMatchObject({
      code: 'share-exhausted',
      retryAfterMs: 0,
    });
    request('other', 'other again', 0);
    await clock.runUntil(2601);
    expect(events).toEqual(['other quota-exhausted', 'other again']);
    expect(rejections).toEqual(['quota', 'share']);
  });

  it('has the slot once the other has not asked for some seconds', async () => {
    request('other', 'other', 0);
    slots[0]!.release('completed');
    let servedAt = 0;
    void quota.acquire({ caller: 'before', waitMs: 20_000 }).then(() => (servedAt = clock.now()));
    await clock.runUntil(20_000);
    expect(servedAt).toBe(5000);
  });
});
