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
  const observer = { rejected: (reason: string) => void rejections.push(reason) };
  quota = new Quota({ perSecond: 2, clock, queueLimit: 4, observer });
  await clock.runUntil(1500);
  slots = [await quota.acquire({ caller: 'holder' }), await quota.acquire({ caller: 'holder' })];
});

/** Records when a call is served or rejected. */
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

describe('waiting calls', () => {
  it('are served round-robin across callers, and in order of arrival within one caller', async () => {
    for (const name of ['a1', 'a2', 'b1', 'a3']) request(name[0]!, name);
    for (const slot of slots) slot.release('completed');
    await clock.runUntil(20_000);
    expect(events).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('lose the last entry of the caller with the most entries when the queue is full, and are reported as such', async () => {
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3']) request(name[0]!, name);
    await clock.runUntil(1600);
    expect(events).toEqual(['a4 quota-exhausted', 'a3 quota-exhausted', 'b3 quota-exhausted']);
    expect(rejections).toEqual(['queue', 'queue', 'queue']);
    expect(quota.state().queueLength).toBe(4);
  });
});

describe('a caller over its share', () => {
  it('is rejected with share-exhausted and the time at which a slot can be free', async () => {
    request('other', 'other', 0);
    slots[0]!.release('completed');
    await clock.runUntil(2600);
    await expect(quota.acquire({ caller: 'holder' })).rejects.toMatchObject({
      code: 'share-exhausted',
      retryAfterMs: 0,
    });
    request('other', 'other again', 0);
    await clock.runUntil(2601);
    expect(events).toEqual(['other quota-exhausted', 'other again']);
    expect(rejections).toEqual(['quota', 'share']);
  });

  it('gets the reserved slot when the demand of the other caller has expired', async () => {
    request('other', 'other', 0);
    slots[0]!.release('completed');
    let servedAt = 0;
    void quota.acquire({ caller: 'holder', waitMs: 20_000 }).then(() => (servedAt = clock.now()));
    await clock.runUntil(20_000);
    expect(servedAt).toBe(5000);
  });
});
