import { beforeEach, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../test/virtual-clock.js';
import { Quota } from './quota.js';
import { QuotaExhaustedError } from './errors.js';
import type { Slot } from './slot-pool.js';

let clock: VirtualClock;
let quota: Quota;
const rejection = { code: 'quota-exhausted' };

beforeEach(async () => {
  clock = new VirtualClock();
  quota = new Quota({ perSecond: 2, clock });
  await clock.runUntil(1500);
});

describe('during the startup delay', () => {
  beforeEach(() => {
    clock = new VirtualClock();
    quota = new Quota({ perSecond: 2, clock });
  });

  it('grants no slot for 1.5 s, and a call waits for that although its own wait is 0', async () => {
    let grantedAt: number | undefined;
    void quota.acquire().then(() => (grantedAt = clock.now()));
    expect(quota.state()).toMatchObject({ free: 0, inUse: 0, nextFreeInMs: 1500 });
    await clock.runUntil(1499);
    expect(grantedAt).toBeUndefined();
    await clock.runUntil(1500);
    expect(grantedAt).toBe(1500);
  });

  it('rejects a call at once if it cannot be served when the delay ends', async () => {
    void quota.acquire();
    void quota.acquire();
    await expect(quota.acquire()).rejects.toMatchObject(rejection);
    expect(clock.now()).toBe(0);
  });
});

describe('with a clock that advances between two readings, and timers that fire early', () => {
  class DriftingClock extends VirtualClock {
    #driftMs = 0;

    constructor(readonly earlyMs: number) {
      super();
    }

    override now(): number {
      return super.now() + (this.#driftMs += 0.3);
    }

    override setTimer(ms: number, callback: () => void): () => void {
      return super.setTimer(ms - this.earlyMs, callback);
    }
  }

  it.each([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])(
    'rejects no call that can be served when the startup delay ends: %d ms early',
    async (earlyMs) => {
      const clockWithDrift = new DriftingClock(earlyMs);
      const newQuota = new Quota({ perSecond: 2, clock: clockWithDrift });
      const acquired = newQuota.acquire();
      await clockWithDrift.runUntil(1600);
      const slot = await acquired;
      expect(clockWithDrift.now()).toBeGreaterThanOrEqual(1500);
      slot.release('unused');
    },
  );
});

describe('a slot', () => {
  it('is free one second after the response, not after it was acquired', async () => {
    const slot = await quota.acquire();
    await clock.runUntil(4000);
    slot.release('completed');
    expect(quota.state().free).toBe(1);
    await clock.runUntil(4999);
    expect(quota.state().free).toBe(1);
    await clock.runUntil(5000);
    expect(quota.state().free).toBe(2);
  });

  it('is free three seconds after its attempt was abandoned', async () => {
    const slot = await quota.acquire();
    slot.release('abandoned');
    await clock.runUntil(4499);
    expect(quota.state().free).toBe(1);
    await clock.runUntil(4500);
    expect(quota.state().free).toBe(2);
  });

  it('is free at once when nothing was sent', async () => {
    (await quota.acquire()).release('unused');
    expect(quota.state().free).toBe(2);
  });

  it('is released only once, for the first reason', async () => {
    const slot = await quota.acquire();
    slot.release('completed');
    slot.release('unused');
    expect(quota.state().free).toBe(1);
  });
});

describe('a rejection', () => {
  it('has a retryAfterMs of more than a second while all calls are in flight', async () => {
    await quota.acquire();
    await quota.acquire();
    const rejected = await quota.acquire().catch((error: unknown) => error);
    expect(rejected).toBeInstanceOf(QuotaExhaustedError);
    expect(rejected).toMatchObject({ retryAfterMs: 1001 });
  });

  it('has the time until the next slot is free as retryAfterMs if that is known', async () => {
    const slot = await quota.acquire();
    await quota.acquire();
    slot.release('completed');
    await clock.runUntil(clock.now() + 400);
    await expect(quota.acquire()).rejects.toMatchObject({ ...rejection, retryAfterMs: 600 });
  });
});

describe('the queue', () => {
  let slots: Slot[];
  const order: string[] = [];
  const wait = (name: string, waitMs: number, signal?: AbortSignal): void => {
    quota.acquire({ waitMs, ...(signal && { signal: () => signal }) }).then(
      () => order.push(`${name} ${clock.now() - 1500}`),
      () => order.push(`${name} rejected ${clock.now() - 1500}`),
    );
  };

  beforeEach(async () => {
    slots = [await quota.acquire(), await quota.acquire()];
    order.length = 0;
  });

  it('serves calls in order of arrival, with one timer for all', async () => {
    wait('a', 5000);
    wait('b', 5000);
    wait('c', 5000);
    await clock.runUntil(1600);
    expect(clock.pending).toBe(1);
    slots[0]!.release('completed');
    await clock.runUntil(1700);
    slots[1]!.release('completed');
    await clock.runUntil(20_000);
    expect(order).toEqual(['a 1100', 'b 1200', 'c rejected 5000']);
  });

  it('rejects a call at once if no slot can be free within its wait', async () => {
    wait('a', 1000);
    await clock.runUntil(1500);
    expect(order).toEqual(['a rejected 0']);
  });

  it('removes a call whose signal is aborted', async () => {
    const client = new AbortController();
    wait('a', 5000, client.signal);
    wait('b', 5000);
    await clock.runUntil(1600);
    client.abort();
    slots[0]!.release('completed');
    await clock.runUntil(9000);
    expect(order).toEqual(['a rejected 100', 'b 1100']);
    expect(clock.pending).toBe(0);
  });

  it('does not serve a new call before a call that waits', async () => {
    wait('a', 5000);
    await clock.runUntil(1600);
    slots[0]!.release('unused');
    wait('late', 0);
    await clock.runUntil(1700);
    expect(order.toSorted()).toEqual(['a 100', 'late rejected 100']);
  });
});

describe('a slot that is released as throttled', () => {
  beforeEach(async () => {
    clock = new VirtualClock();
    quota = new Quota({ perSecond: 4, clock });
    await clock.runUntil(1500);
  });

  it('halves the capacity, and is free after one second', async () => {
    (await quota.acquire()).release('throttled');
    expect(quota.state()).toMatchObject({ capacity: 2, free: 1 });
    await quota.acquire();
    await expect(quota.acquire()).rejects.toMatchObject({ ...rejection, retryAfterMs: 1000 });
  });

  it('does not reduce the capacity if it was released before for another reason', async () => {
    const slot = await quota.acquire();
    slot.release('completed');
    slot.release('throttled');
    expect(quota.state()).toMatchObject({ capacity: 4, free: 3 });
  });

  it('keeps leases above the reduced capacity until they end', async () => {
    const slots = [await quota.acquire(), await quota.acquire(), await quota.acquire()];
    (await quota.acquire()).release('throttled');
    await clock.runUntil(2500);
    expect(quota.state()).toMatchObject({ capacity: 2, free: 0, inUse: 3 });
    slots[0]!.release('unused');
    expect(quota.state()).toMatchObject({ capacity: 2, free: 0, inUse: 2 });
    slots[1]!.release('unused');
    expect(quota.state()).toMatchObject({ capacity: 2, free: 1, inUse: 1 });
  });

  it('serves a waiting call when the capacity grows again', async () => {
    (await quota.acquire()).release('throttled');
    await clock.runUntil(2500);
    await quota.acquire();
    await quota.acquire();
    let servedAt: number | undefined;
    void quota.acquire({ waitMs: 20_000 }).then(() => (servedAt = clock.now()));
    await clock.runUntil(30_000);
    expect(servedAt).toBe(6500);
  });
});

describe('a closed quota', () => {
  it('rejects later calls and reservations', async () => {
    await quota.close();
    await expect(quota.acquire()).rejects.toMatchObject({ code: 'quota-closed' });
    await expect(quota.reserveQueueEntry().rejected).rejects.toMatchObject({ code: 'quota-closed' });
    expect(quota.state()).toMatchObject({ inUse: 0, queueLength: 0 });
  });
});

describe('the observer', () => {
  it('receives each decision, with the wait of a granted call and the reason of a rejection', async () => {
    const decisions: string[] = [];
    quota = new Quota({
      perSecond: 2,
      clock,
      queueLimit: 1,
      observer: {
        granted: (waitedMs) => void decisions.push(`granted after ${waitedMs}`),
        rejected: (reason) => void decisions.push(`rejected: ${reason}`),
        reduced: (slots) => void decisions.push(`reduced to ${slots}`),
      },
    });
    await clock.runUntil(3000);
    const slots = [await quota.acquire(), await quota.acquire()];
    await quota.acquire().catch(() => {});
    expect(quota.rejectIfExhausted()).toEqual({ reason: 'quota', retryAfterMs: 1001 });
    const waiting = quota.acquire({ waitMs: 9000 });
    await quota.acquire({ waitMs: 9000 }).catch(() => {});
    slots[0]!.release('throttled');
    slots[1]!.release('unused');
    await clock.runUntil(4000);
    await waiting;
    expect(decisions).toEqual([
      'granted after 0',
      'granted after 0',
      'rejected: quota',
      'rejected: quota',
      'rejected: queue',
      'reduced to 1',
      'granted after 1000',
    ]);
  });
});

/** Makes background calls until one is rejected. @returns how many were granted */
async function acquireAll(caller: string): Promise<number> {
  for (let granted = 0; ; granted += 1) {
    const slot = await quota.acquire({ caller, isBackground: true }).catch(() => undefined);
    if (!slot) return granted;
    slot.release('completed');
  }
}

describe('a background call', () => {
  beforeEach(async () => {
    clock = new VirtualClock();
    quota = new Quota({ perSecond: 5, clock });
    await clock.runUntil(1500);
  });

  it('uses every slot if its caller makes no other calls', async () => {
    expect(await acquireAll('a')).toBe(5);
  });

  it('leaves as many slots as the other calls of its caller needed in the last seconds, and no more', async () => {
    await acquireAll('a');
    const calls = [quota.acquire({ caller: 'a' }), quota.acquire({ caller: 'a' })];
    for (const call of calls) await expect(call).rejects.toMatchObject(rejection);
    await clock.runUntil(2500);
    expect(await acquireAll('a')).toBe(3);
    (await quota.acquire({ caller: 'a' })).release('completed');
    // The slots that the other calls hold count.
    expect(await acquireAll('a')).toBe(0);
    (await quota.acquire({ caller: 'a' })).release('completed');
    await clock.runUntil(10_000);
    expect(await acquireAll('a')).toBe(5);
  });

  it('leaves nothing to other callers but their fair share', async () => {
    await expect(Promise.all([1, 2].map(() => quota.acquire({ caller: 'b' })))).resolves.toHaveLength(2);
    expect(await acquireAll('a')).toBe(3);
  });
});
