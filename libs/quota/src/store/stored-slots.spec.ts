import { beforeEach, describe, expect, it } from '@jest/globals';
import { DistantStore } from '../../test/distant-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import type { Slot } from '../slot-source.js';
import { StoredSlots } from './stored-slots.js';

const PER_SECOND = 20;
let clock: VirtualClock;
let store: DistantStore;
let told: string[];
let replicas: Quota[];

function start(name: string, lateMs = 0): Quota {
  const observer = {
    storeFound: () => void told.push(`${name} found`),
    storeLost: (reason: string, part: number) => void told.push(`${name} lost ${reason} ${part}`),
  };
  const way = store.for(name, 1, lateMs);
  const source = { perSecond: PER_SECOND, replica: name, store: way, clock, observer };
  return new Quota({
    perSecond: PER_SECOND,
    clock,
    source: (listener) => new StoredSlots({ ...source, listener }),
  });
}

/** Takes as many slots as there are, up to 30. */
async function takeAll(quota: Quota): Promise<Slot[]> {
  const slots: Slot[] = [];
  const asked = Promise.allSettled(
    Array.from({ length: 30 }, () => quota.acquire().then((slot) => slots.push(slot))),
  );
  await clock.runUntil(clock.now() + 300);
  await asked;
  return slots;
}

/** Loses the store, and lets both replicas lend what they may. */
async function lendAlone(): Promise<Slot[][]> {
  store.fall();
  await clock.runUntil(7000);
  return [await takeAll(replicas[0]!), await takeAll(replicas[1]!)];
}

beforeEach(async () => {
  told = [];
  clock = new VirtualClock();
  store = new DistantStore(PER_SECOND, 6000, clock);
  replicas = [start('a'), start('b', 600)];
  await clock.runUntil(5000);
});

describe('while the store is there', () => {
  it('the slots are shared', async () => {
    const slots = await takeAll(replicas[0]!);
    expect(slots).toHaveLength(20);
    expect(await takeAll(replicas[1]!)).toHaveLength(0);
    for (const slot of slots.slice(0, 5)) slot.release('completed');
    await clock.runUntil(clock.now() + 1010);
    expect(await takeAll(replicas[1]!)).toHaveLength(5);
    expect(told).toEqual(['a found', 'b found']);
  });

  it('counts as in use what it last saw leased, until that is over', async () => {
    const slots = await takeAll(replicas[0]!);
    expect(replicas[0]!.state()).toMatchObject({ free: 0, inUse: 20 });
    for (const slot of slots.slice(0, 5)) slot.release('completed');
    await clock.runUntil(clock.now() + 10);
    expect(replicas[0]!.state()).toMatchObject({ free: 0, inUse: 20 });
    await clock.runUntil(clock.now() + 1000);
    expect(replicas[0]!.state()).toMatchObject({ free: 5, inUse: 15 });
  });

  it('reduces the capacity of all replicas when a slot is released as throttled', async () => {
    const [slot] = await takeAll(replicas[0]!);
    slot!.release('throttled');
    await clock.runUntil(clock.now() + 10);
    expect(replicas[0]!.state().capacity).toBe(10);
    await takeAll(replicas[1]!);
    expect(replicas[1]!.state().capacity).toBe(10);
  });

  it('releases a slot that is granted to a call whose caller has left', async () => {
    const left = new AbortController();
    const acquired = replicas[0]!.acquire({ signal: () => left.signal });
    left.abort(new Error('left'));
    await expect(acquired).rejects.toThrow('left');
    await clock.runUntil(clock.now() + 10);
    expect(await takeAll(replicas[1]!)).toHaveLength(20);
  });

  it('never rejects without asking the store', async () => {
    await takeAll(replicas[0]!);
    expect(replicas[0]!.rejectIfExhausted()).toBeUndefined();
  });
});

describe('when the store is lost', () => {
  beforeEach(() => store.fall());

  it('reduces its own part when a slot is released as throttled', async () => {
    await clock.runUntil(6500);
    const [slot] = await takeAll(replicas[0]!);
    slot!.release('throttled');
    expect(replicas[0]!.state()).toMatchObject({ capacity: 5, inUse: 10 });
    await clock.runUntil(clock.now() + 1000);
    expect(replicas[0]!.state()).toMatchObject({ capacity: 5, free: 0, inUse: 9 });
  });

  it('nothing is lent for 1.5 s, and then each its part', async () => {
    expect(await takeAll(replicas[0]!)).toHaveLength(0);
    await clock.runUntil(6500);
    expect(await takeAll(replicas[0]!)).toHaveLength(10);
    expect(await takeAll(replicas[1]!)).toHaveLength(10);
    expect(told.slice(2)).toEqual(['a lost closed 10', 'b lost closed 10']);
  });

  it('what was in flight counts against the part', async () => {
    store.rise({ empty: false });
    await clock.runUntil(8000);
    const before = await takeAll(replicas[0]!);
    expect(before).toHaveLength(20);
    store.fall();
    for (const slot of before.slice(0, 13)) slot.release('completed');
    await clock.runUntil(10_000);
    expect(await takeAll(replicas[0]!)).toHaveLength(3);
  });

  it('a newcomer lends nothing: how many there are it cannot know', async () => {
    const newcomer = start('c');
    await clock.runUntil(7000);
    await expect(newcomer.acquire({ waitMs: 9000 })).rejects.toMatchObject({ code: 'quota-unavailable' });
    expect(told.at(-1)).toMatch(/^c lost \w+ 0$/);
  });

  it('nor does one to which the others have not yet left a part', async () => {
    store.rise({ empty: false });
    await clock.runUntil(8000);
    const young = start('c');
    await clock.runUntil(8005);
    store.fall();
    expect(told.slice(-3).toSorted()).toEqual(['a lost closed 10', 'b lost closed 10', 'c lost closed 0']);
    await clock.runUntil(10_000);
    await expect(young.acquire()).rejects.toMatchObject({ code: 'quota-unavailable' });
  });

  it('all have their parts soon after a newcomer came, and never more than 20 in all', async () => {
    store.rise({ empty: false });
    await clock.runUntil(8000);
    start('c');
    await clock.runUntil(11_000);
    store.fall();
    expect(told.slice(-3).toSorted()).toEqual(['a lost closed 6', 'b lost closed 6', 'c lost closed 6']);
  });
});

describe('when the store is back', () => {
  it.each([true, false])('what was lent meanwhile is entered first (empty: %s)', async (empty) => {
    const lent = await lendAlone();
    expect(lent.map(({ length }) => length)).toEqual([10, 10]);
    store.rise({ empty });
    await clock.runUntil(12_000);
    expect(await takeAll(replicas[0]!)).toHaveLength(0);
    for (const slot of lent.flat()) slot.release('completed');
    await clock.runUntil(14_000);
    expect(await takeAll(replicas[1]!)).toHaveLength(20);
  });

  it.each([true, false])(
    'each keeps to its part until the other can have come back (empty: %s)',
    async (empty) => {
      const [ofA] = await lendAlone();
      for (const slot of ofA!) slot.release('completed');
      await clock.runUntil(9500);
      store.rise({ empty });
      // b comes back 600 ms later, with ten slots that the store does not know of.
      await clock.runUntil(9750);
      expect(told.at(-1)).toBe('a found');
      expect(await takeAll(replicas[0]!)).toHaveLength(10);
      await clock.runUntil(13_000);
      expect(told.at(-1)).toBe('b found');
      expect(await takeAll(replicas[0]!)).toHaveLength(0);
    },
  );
});
