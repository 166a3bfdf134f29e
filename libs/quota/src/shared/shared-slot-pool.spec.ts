import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import type { Slot } from '../slot-pool.js';

const PER_SECOND = 20;
let clock: VirtualClock;
let store: FakeRemoteStore;
let events: string[];
let replicas: Quota[];

function start(name: string, reconnectDelayMs = 0): Quota {
  const observer = {
    storeConnected: () => void events.push(`${name} connected`),
    storeDisconnected: (reason: string, fallbackSlots: number) =>
      void events.push(`${name} disconnected ${reason} ${fallbackSlots}`),
  };
  return new Quota({
    perSecond: PER_SECOND,
    clock,
    store: store.clientFor(name, { latencyMs: 1, reconnectDelayMs }),
    observer,
  });
}

/** Acquires all free slots, up to 30. */
async function acquireAll(quota: Quota): Promise<Slot[]> {
  const slots: Slot[] = [];
  const pending = Promise.allSettled(
    Array.from({ length: 30 }, () => quota.acquire().then((slot) => slots.push(slot))),
  );
  await clock.runUntil(clock.now() + 300);
  await pending;
  return slots;
}

/** Makes the store unavailable, and acquires the fallback slots of both replicas. */
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

describe('while the store is available', () => {
  it('shares the slots among replicas', async () => {
    const slots = await acquireAll(replicas[0]!);
    expect(slots).toHaveLength(20);
    expect(await acquireAll(replicas[1]!)).toHaveLength(0);
    for (const slot of slots.slice(0, 5)) slot.release('completed');
    await clock.runUntil(clock.now() + 1010);
    expect(await acquireAll(replicas[1]!)).toHaveLength(5);
    expect(events).toEqual(['a connected', 'b connected']);
  });

  it('counts the leases of the last snapshot as in use until they expire', async () => {
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

  it('releases a slot that is granted to an aborted call', async () => {
    const client = new AbortController();
    const acquired = replicas[0]!.acquire({ signal: () => client.signal });
    client.abort(new Error('aborted'));
    await expect(acquired).rejects.toThrow('aborted');
    await clock.runUntil(clock.now() + 10);
    expect(await acquireAll(replicas[1]!)).toHaveLength(20);
  });

  it('counts the leases of another replica as in use until the next heartbeat after they have expired', async () => {
    const [slot] = await acquireAll(replicas[1]!);
    await clock.runUntil(clock.now() + 1000);
    expect(replicas[0]!.state().inUse).toBe(20);
    slot!.release('unused');
    await clock.runUntil(clock.now() + 2000);
    expect(replicas[0]!.state().inUse).toBe(19);
  });

  it('never rejects a call without the store', async () => {
    await acquireAll(replicas[0]!);
    expect(replicas[0]!.rejectIfExhausted()).toBeUndefined();
  });
});

describe('while the store is unavailable', () => {
  beforeEach(() => store.disconnect());

  it('reduces the fallback slots when a slot is released as throttled', async () => {
    await clock.runUntil(6500);
    const [slot] = await acquireAll(replicas[0]!);
    slot!.release('throttled');
    expect(replicas[0]!.state()).toMatchObject({ capacity: 5, inUse: 10 });
    await clock.runUntil(clock.now() + 1000);
    expect(replicas[0]!.state()).toMatchObject({ capacity: 5, free: 0, inUse: 9 });
  });

  it('grants nothing for 1.5 s, and then the fallback slots of each replica', async () => {
    expect(await acquireAll(replicas[0]!)).toHaveLength(0);
    await clock.runUntil(6500);
    expect(await acquireAll(replicas[0]!)).toHaveLength(10);
    expect(await acquireAll(replicas[1]!)).toHaveLength(10);
    expect(events.slice(2)).toEqual(['a disconnected closed 10', 'b disconnected closed 10']);
  });

  it('counts existing leases against the fallback slots', async () => {
    store.reconnect({ empty: false });
    await clock.runUntil(8000);
    const before = await acquireAll(replicas[0]!);
    expect(before).toHaveLength(20);
    store.disconnect();
    for (const slot of before.slice(0, 13)) slot.release('completed');
    await clock.runUntil(10_000);
    expect(await acquireAll(replicas[0]!)).toHaveLength(3);
  });

  it('rejects the calls of a new replica, which has no fallback slots', async () => {
    const newReplica = start('c');
    await clock.runUntil(7000);
    await expect(newReplica.acquire({ waitMs: 9000 })).rejects.toMatchObject({ code: 'quota-unavailable' });
    expect(events.at(-1)).toMatch(/^c disconnected \w+ 0$/);
  });

  it('rejects the calls of a replica that joined too recently to have fallback slots', async () => {
    store.reconnect({ empty: false });
    await clock.runUntil(8000);
    const newReplica = start('c');
    await clock.runUntil(8005);
    store.disconnect();
    expect(events.slice(-3).toSorted()).toEqual([
      'a disconnected closed 10',
      'b disconnected closed 10',
      'c disconnected closed 0',
    ]);
    await clock.runUntil(10_000);
    await expect(newReplica.acquire()).rejects.toMatchObject({ code: 'quota-unavailable' });
  });

  it('divides the fallback slots again soon after a replica has joined, at most 20 in total', async () => {
    store.reconnect({ empty: false });
    await clock.runUntil(8000);
    start('c');
    await clock.runUntil(11_000);
    store.disconnect();
    expect(events.slice(-3).toSorted()).toEqual([
      'a disconnected closed 6',
      'b disconnected closed 6',
      'c disconnected closed 6',
    ]);
  });
});

describe('when the store is available again', () => {
  it.each([true, false])('registers existing leases before it grants a slot (empty: %s)', async (empty) => {
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
    'grants a replica only its fallback slots until the other one has joined again (empty: %s)',
    async (empty) => {
      const [slotsOfA] = await acquireFallbackSlots();
      for (const slot of slotsOfA!) slot.release('completed');
      await clock.runUntil(9500);
      store.reconnect({ empty });
      // Replica b joins 600 ms later, with ten leases that the store does not know yet.
      await clock.runUntil(9750);
      expect(events.at(-1)).toBe('a connected');
      expect(await acquireAll(replicas[0]!)).toHaveLength(10);
      await clock.runUntil(13_000);
      expect(events.at(-1)).toBe('b connected');
      expect(await acquireAll(replicas[0]!)).toHaveLength(0);
    },
  );
});
