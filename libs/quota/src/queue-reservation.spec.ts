import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRemoteStore } from '../test/fake-remote-store.js';
import { VirtualClock } from '../test/virtual-clock.js';
import { Quota, type QueueReservation } from './quota.js';
import type { Slot } from './slot-pool.js';

let clock: VirtualClock;
let quota: Quota;
let slot: Slot;
const rejections: string[] = [];
const events: string[] = [];

const observer = { rejected: (reason: string) => void rejections.push(reason) };

beforeEach(async () => {
  rejections.length = 0;
  events.length = 0;
  clock = new VirtualClock();
  quota = new Quota({ perSecond: 1, clock, queueLimit: 4, observer });
  await clock.runUntil(1500);
  slot = await quota.acquire({ caller: 'holder' });
});

/** Records when a reservation is rejected, and why. */
function reserve(
  caller: string,
  { name = caller, waitMs = 9000, signal }: { name?: string; waitMs?: number; signal?: AbortSignal } = {},
): QueueReservation {
  const reservation = quota.reserveQueueEntry({ caller, waitMs, ...(signal && { signal: () => signal }) });
  reservation.rejected.catch((error: Error & { code?: string; retryAfterMs?: number }) =>
    events.push([name, error.code ?? error.message, error.retryAfterMs, `at ${clock.now()}`].join(' ')),
  );
  return reservation;
}

function acquire(caller: string, name: string, waitMs = 9000): void {
  quota.acquire({ caller, waitMs }).then(
    () => events.push(`${name} granted at ${clock.now()}`),
    ({ code }: { code: string }) => events.push(`${name} ${code} at ${clock.now()}`),
  );
}

describe('a queue reservation', () => {
  it('counts as waiting until it is released, and is never served', async () => {
    const reservation = reserve('a');
    slot.release('unused');
    await clock.runUntil(2000);
    expect(quota.state()).toMatchObject({ free: 1, inUse: 0, queueLength: 1 });
    reservation.release();
    reservation.release();
    await clock.runUntil(20_000);
    expect(quota.state().queueLength).toBe(0);
    expect([events, rejections, clock.pending]).toEqual([[], [], 0]);
  });

  it('is rejected when its wait is over, with the time at which a slot can be free', async () => {
    reserve('a', { waitMs: 400 });
    slot.release('completed');
    await clock.runUntil(20_000);
    expect(events).toEqual(['a quota-exhausted 600 at 1900']);
    expect(rejections).toEqual(['quota']);
    expect(quota.state().queueLength).toBe(0);
  });

  it('is rejected behind the calls of its caller that wait for a slot', async () => {
    acquire('a', 'a1');
    reserve('a', { waitMs: 400 });
    slot.release('completed');
    await clock.runUntil(2000);
    expect(events).toEqual([`a quota-exhausted ${600 + 1001} at 1900`]);
  });

  it('is rejected by a timer, not at once, if it may not wait', async () => {
    reserve('a', { waitMs: 0 });
    expect(rejections).toEqual([]);
    expect(quota.state().queueLength).toBe(1);
    await clock.runUntil(1500);
    expect(events).toEqual(['a quota-exhausted 1001 at 1500']);
  });

  it('does not count as demand: another caller may use every slot', async () => {
    quota = new Quota({ perSecond: 2, clock });
    reserve('a');
    reserve('a');
    await clock.runUntil(3000);
    await quota.acquire({ caller: 'b' });
    await quota.acquire({ caller: 'b' });
    expect(quota.state()).toMatchObject({ inUse: 2, queueLength: 2 });
  });

  it('does not prevent the immediate rejection of a call that may not wait', async () => {
    reserve('a', { waitMs: 0 });
    expect(quota.rejectIfExhausted('holder')).toEqual({ reason: 'quota', retryAfterMs: 1001 });
  });

  it('shares one timer with all other entries', async () => {
    for (const caller of ['a', 'b', 'c']) reserve(caller);
    acquire('a', 'a1');
    await clock.runUntil(1600);
    expect(quota.state().queueLength).toBe(4);
    expect(clock.pending).toBe(1);
    await quota.close();
    await clock.runUntil(1600);
    expect(events).toEqual([
      'a quota-closed  at 1600',
      'b quota-closed  at 1600',
      'c quota-closed  at 1600',
      'a1 quota-closed at 1600',
    ]);
    expect(clock.pending).toBe(0);
  });

  it('is removed when its signal is aborted, and rejects with its reason', async () => {
    const client = new AbortController();
    reserve('a', { signal: client.signal });
    client.abort(new Error('disconnected'));
    expect(quota.state().queueLength).toBe(0);
    await clock.runUntil(1500);
    expect(events).toEqual(['a disconnected  at 1500']);
    expect([rejections, clock.pending]).toEqual([[], 0]);
  });

  it('adds no entry if its signal is already aborted', async () => {
    reserve('a', { signal: AbortSignal.abort(new Error('disconnected')) });
    expect(quota.state().queueLength).toBe(0);
  });

  it('is not rejected after its release', async () => {
    const client = new AbortController();
    const reservation = reserve('a', { signal: client.signal, waitMs: 100 });
    reservation.release();
    client.abort(new Error('disconnected'));
    await clock.runUntil(5000);
    expect(events).toEqual([]);
  });

  it('causes no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    quota.reserveQueueEntry();
    await clock.runUntil(1500);
    await new Promise(setImmediate);
    process.off('unhandledRejection', listener);
    expect([rejections, unhandled]).toEqual([['quota'], []]);
  });
});

/** Acquires a slot, with a follower that may not wait and is released when the slot is granted. */
async function acquireWithFollower(): Promise<void> {
  const acquired = quota.acquire({ caller: 'a' });
  const reservation = reserve('a', { name: 'follower', waitMs: 0 });
  try {
    await acquired;
    events.push(`granted at ${clock.now()}`);
    reservation.release();
  } catch {
    events.push(`rejected at ${clock.now()}`);
  }
}

describe('a full queue', () => {
  it('rejects the last entry of the caller with the most, a call or a reservation', async () => {
    acquire('a', 'a1');
    for (const name of ['a2', 'a3']) {
      await clock.runUntil(clock.now() + 1);
      reserve('a', { name });
    }
    await clock.runUntil(clock.now() + 1);
    acquire('a', 'a4');
    await clock.runUntil(clock.now() + 1);
    reserve('b', { name: 'b1' });
    await clock.runUntil(clock.now() + 1);
    acquire('b', 'b2');
    await clock.runUntil(1600);
    expect(events).toEqual(['a4 quota-exhausted at 1504', 'a3 quota-exhausted 3003 at 1505']);
    expect(rejections).toEqual(['queue', 'queue']);
    expect(quota.state().queueLength).toBe(4);
  });

  it('does not request the signal of a reservation that it rejects', async () => {
    for (let n = 1; n <= 4; n += 1) reserve('a');
    let requests = 0;
    const reservation = quota.reserveQueueEntry({
      caller: 'a',
      signal: () => {
        requests += 1;
        return new AbortController().signal;
      },
    });
    await expect(reservation.rejected).rejects.toMatchObject({ code: 'quota-exhausted' });
    expect(requests).toBe(0);
  });
});

describe('a reservation that depends on a call whose acquire is still being decided', () => {
  it('is not rejected before the call is granted its slot at the end of the startup delay', async () => {
    clock = new VirtualClock();
    quota = new Quota({ perSecond: 1, clock });
    void acquireWithFollower();
    await clock.runUntil(1499);
    expect(quota.state().queueLength).toBe(2);
    await clock.runUntil(20_000);
    expect(events).toEqual(['granted at 1500']);
  });

  it('is rejected only after the store has rejected the call', async () => {
    const store = new FakeRemoteStore(1, 6000, clock).clientFor('replica', { latencyMs: 100 });
    quota = new Quota({ perSecond: 1, clock, store });
    await clock.runUntil(10_000);
    void acquireWithFollower();
    await clock.runUntil(10_199);
    expect(events).toEqual([]);
    await clock.runUntil(10_500);
    expect(events).toEqual(['granted at 10200']);
    void acquireWithFollower();
    await clock.runUntil(11_000);
    expect(events.slice(1)).toEqual(['rejected at 10700', 'follower quota-exhausted 1001 at 10700']);
  });

  it('is not rejected while a command to the store is in flight, even if its wait ends', async () => {
    const store = new FakeRemoteStore(1, 6000, clock).clientFor('replica', { latencyMs: 100 });
    quota = new Quota({ perSecond: 1, clock, store });
    await clock.runUntil(10_000);
    const reservation = reserve('a', { waitMs: 100 });
    await clock.runUntil(10_050);
    void quota.acquire({ caller: 'a' }).then(() => reservation.release());
    await clock.runUntil(12_000);
    expect(events).toEqual([]);
    expect(quota.state()).toMatchObject({ inUse: 1, queueLength: 0 });
  });
});
