import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import type { Slot } from '../slot-pool.js';
import { SharedSlotPool } from './shared-slot-pool.js';

const PER_SECOND = 20;
let clock: VirtualClock;
let store: FakeRemoteStore;
let events: string[];
let replicas: Quota[];

function start(name: string, reconnectDelayMs = 0): Quota {
  const observer = {
    storeConnected: () => void events.push(`${name} found`),
    storeDisconnected: (reason: string, fallbackSlots: number) =>
      void events.push(`${name} lost ${reason} ${fallbackSlots}`),
  };
  const client = store.clientFor(name, 1, reconnectDelayMs);
  const source = { perSecond: PER_SECOND, replica: name, store: client, clock, observer };
  return new Quota({
    perSecond: PER_SECOND,
    clock,
    createPool: (listener) => new SharedSlotPool({ ...source, listener }),
  });
}

/** Takes as many slots as there are, up to 30. */
async function acquireAll(quota: Quota): Promise<Slot[]> {
  const slots: Slot[] = [];
  const pending = Promise.allSettled(
    Array.from({ length: 30 }, () => quota.acquire().then((slot) => slots.push(slot))),
  );
  await clock.runUntil(clock.now() + 300);
  await pending;
  return slots;
}

/** Loses the store, and lets both replicas lend what they may. */
async function acquireFallbackSlots(): Promise<Slot[][]> {
  store.disconnect();
  await clock.runUntil(7000);
  return [await acquireAll(replicas[0]!), await acquireAll(replicas[1]!)];
}

beforeEach(async () => {
  events = [];
  clock = new VirtualClock();
  store = new FakeRemoteStore(PER_SECOND, 6000, clock);
  replicas = [start('a'), start('b', 600)];
  await clock.runUntil(5000);
});

describe('while the store is there', () => {
  it('the slots are shared', async () => {
    const slots = await acquireAll(replicas[0]!);
    expect(slots).toHaveLength(20);
    expect(await acquireAll(replicas[1]!)).toHaveLength(0);
    for (const slot of slots.slice(0, 5)) slot.release('completed');
    await clock.runUntil(clock.now() + 1010);
    expect(await acquireAll(replicas[1]!)).toHaveLength(5);
    expect(events).toEqual(['a found', 'b found']);
  });

  it('counts as in use what it last saw leased, until that is over', async () => {
    const slots = await acquireAll(replicas[0]!);
    expect(replicas[0]!.state()).toMatchObject({ free: 0, inUse: 20 });
    for (const slot of slots.slice(0, 5)) slot.release('completed');
    await clock.runUntil(clock.now() + 10);
    expect(replicas[0]!.state()).toMatchObject({ free: 0, inUse: 20 });
    await clock.runUntil(clock.now() + 1000);
    expect(replicas[0]!.state()).toMatchObject({ free: 5, inUse: 15 });
  });

  it('reduces the capacity of all replicas when a slot is released as throttled', async () => {
    const [slot] = await acquireAll(replicas[0]!);
    slot!.release('throttled');
    await clock.runUntil(clock.now() + 10);
    expect(replicas[0]!.state().capacity).toBe(10);
    await acquireAll(replicas[1]!);
    expect(replicas[1]!.state().capacity).toBe(10);
  });

  it('releases a slot that is granted to a call whose caller has left', async () => {
    const left = new AbortController();
    const acquired = replicas[0]!.acquire({ signal: () => left.signal });
    left.abort(new Error('left'));
    await expect(acquired).rejects.toThrow('left');
    await clock.runUntil(clock.now() + 10);
    expect(await acquireAll(replicas[1]!)).toHaveLength(20);
  });

  it('never rejects without asking the store', async () => {
    await acquireAll(replicas[0]!);
    expect(replicas[0]!.rejectIfExhausted()).toBeUndefined();
  });
});

describe('when the store is lost', () => {
  beforeEach(() => store.disconnect());

  it('reduces its own part when a slot is released as throttled', async () => {
    await clock.runUntil(6500);
    const [slot] = await acquireAll(replicas[0]!);
    slot!.release('throttled');
    expect(replicas[0]!.state()).toMatchObject({ capacity: 5, inUse: 10 });
    await clock.runUntil(clock.now() + 1000);
    expect(replicas[0]!.state()).toMatchObject({ capacity: 5, free: 0, inUse: 9 });
  });

  it('nothing is lent for 1.5 s, and then each its part', async () => {
    expect(await acquireAll(replicas[0]!)).toHaveLength(0);
    await clock.runUntil(6500);
    expect(await acquireAll(replicas[0]!)).toHaveLength(10);
    expect(await acquireAll(replicas[1]!)).toHaveLength(10);
    expect(events.slice(2)).toEqual(['a lost closed 10', 'b lost closed 10']);
  });

  it('what was in flight counts against the part', async () => {
    store.reconnect({ empty: false });
    await clock.runUntil(8000);
    const before = await acquireAll(replicas[0]!);
    expect(before).toHaveLength(20);
    store.disconnect();
    for (const slot of before.slice(0, 13)) slot.release('completed');
    await clock.runUntil(10_000);
    expect(await acquireAll(replicas[0]!)).toHaveLength(3);
  });

  it('a newcomer lends nothing: how many there are it cannot know', async () => {
    const newReplica = start('c');
    await clock.runUntil(7000);
    await expect(newReplica.acquire({ waitMs: 9000 })).rejects.toMatchObject({ code: 'quota-unavailable' });
    expect(events.at(-1)).toMatch(/^c lost \w+ 0$/);
  });

  it('nor does one to which the others have not yet left a part', async () => {
    store.reconnect({ empty: false });
    await clock.runUntil(8000);
    const newReplica = start('c');
    await clock.runUntil(8005);
    store.disconnect();
    expect(events.slice(-3).toSorted()).toEqual(['a lost closed 10', 'b lost closed 10', 'c lost closed 0']);
    await clock.runUntil(10_000);
    await expect(newReplica.acquire()).rejects.toMatchObject({ code: 'quota-unavailable' });
  });

  it('all have their parts soon after a newcomer came, and never more than 20 in all', async () => {
    store.reconnect({ empty: false });
    await clock.runUntil(8000);
    start('c');
    await clock.runUntil(11_000);
    store.disconnect();
    expect(events.slice(-3).toSorted()).toEqual(['a lost closed 6', 'b lost closed 6', 'c lost closed 6']);
  });
});

describe('when the store is back', () => {
  it.each([true, false])('what was lent meanwhile is entered first (empty: %s)', async (empty) => {
    const slots = await acquireFallbackSlots();
    expect(slots.map(({ length }) => length)).toEqual([10, 10]);
    store.reconnect({ empty });
    await clock.runUntil(12_000);
    expect(await acquireAll(replicas[0]!)).toHaveLength(0);
    for (const slot of slots.flat()) slot.release('completed');
    await clock.runUntil(14_000);
    expect(await acquireAll(replicas[1]!)).toHaveLength(20);
  });

  it.each([true, false])(
    'each keeps to its part until the other can have come back (empty: %s)',
    async (empty) => {
      const [slotsOfA] = await acquireFallbackSlots();
      for (const slot of slotsOfA!) slot.release('completed');
      await clock.runUntil(9500);
      store.reconnect({ empty });
      // b comes back 600 ms later, with ten slots that the store does not know of.
      await clock.runUntil(9750);
      expect(events.at(-1)).toBe('a found');
      expect(await acquireAll(replicas[0]!)).toHaveLength(10);
      await clock.runUntil(13_000);
      expect(events.at(-1)).toBe('b found');
      expect(await acquireAll(replicas[0]!)).toHaveLength(0);
    },
  );
});
