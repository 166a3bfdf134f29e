import { beforeEach, describe, expect, it } from '@jest/globals';
import { FairQueue, type PendingCall, type QueueEntry } from './fair-queue.js';

const NONE: ReadonlySet<string> = new Set();

let queue: FairQueue;

beforeEach(() => {
  queue = new FairQueue();
});

function reserve(caller: string, requestedAt = 0): QueueEntry {
  const entry = { caller, requestedAt, deadline: Infinity, reject: () => {} };
  queue.enqueue(entry);
  return entry;
}

/** Adds a call. A queued call counts against the queue limit. */
function add(caller: string, requestedAt = 0, { queued = true, isBackground = false } = {}): PendingCall {
  const timing = { requestedAt, deadline: Infinity };
  const call = { caller, isBackground, ...timing, canBeServed: false, reject: () => {}, grant: () => {} };
  queue.add(call);
  if (queued) queue.enqueue(call);
  return call;
}

describe('FairQueue', () => {
  it('counts queued calls and reservations, and only calls are pending', () => {
    const reservation = reserve('a');
    expect([queue.hasPendingCalls, queue.queued.size]).toEqual([false, 1]);
    const call = add('a', 0, { queued: false });
    expect([queue.hasPendingCalls, queue.queued.size]).toEqual([true, 1]);
    queue.enqueue(call);
    expect([queue.hasPendingCalls, queue.queued.size]).toEqual([true, 2]);
    expect(queue.reservations).toEqual([reservation]);
    expect([queue.indexOf(call), queue.indexOf(reservation)]).toEqual([0, -1]);
  });

  it('removes an entry once, and no other one', () => {
    const reservation = reserve('a');
    const [first, second, undecided] = [add('a'), add('a'), add('b', 0, { queued: false })];
    for (const entry of [reservation, first, undecided]) {
      expect([queue.has(entry), queue.remove(entry)]).toEqual([true, true]);
      expect([queue.has(entry), queue.remove(entry)]).toEqual([false, false]);
    }
    expect([[...queue], [...queue.queued]]).toEqual([[second], [second]]);
    expect(queue.remove(second)).toBe(true);
    expect([queue.hasPendingCalls, queue.queued.size, queue.nextRequest(NONE)]).toEqual([
      false,
      0,
      undefined,
    ]);
  });

  it('serves the background calls of a caller after its other calls, and says which comes first', () => {
    const background = [add('a', 0, { isBackground: true }), add('a', 1, { isBackground: true })];
    expect(queue.nextRequest(NONE)).toMatchObject({ isBackground: true });
    const others = [add('a', 2), add('a', 3)];
    expect(queue.nextRequest(NONE)).toMatchObject({ isBackground: false });
    expect(queue.callsOf('a')).toEqual([...others, ...background]);
  });

  it('serves callers in turn, and the first call of each', () => {
    const [a1, a2, b1] = [add('a'), add('a'), add('b')];
    expect(queue.nextRequest(NONE)?.caller).toBe('a');
    expect(queue.dequeue('a')).toBe(a1);
    expect(queue.nextRequest(NONE)?.caller).toBe('b');
    expect(queue.nextRequest(new Set(['b']))?.caller).toBe('a');
    expect(queue.dequeue('b')).toBe(b1);
    expect(queue.dequeue('b')).toBeUndefined();
    expect(queue.dequeue('a')).toBe(a2);
    expect([queue.hasPendingCalls, queue.queued.size]).toEqual([false, 0]);
  });

  it('reports each new call in one request, and all pending calls of the caller in every request', () => {
    add('a');
    add('a');
    expect(queue.nextRequest(NONE)).toMatchObject({ caller: 'a', newCalls: 2, pendingCalls: 2 });
    expect(queue.nextRequest(NONE)).toMatchObject({ caller: 'a', newCalls: 0, pendingCalls: 2 });
    add('a');
    expect(queue.nextRequest(NONE)).toMatchObject({ caller: 'a', newCalls: 1, pendingCalls: 3 });
    expect(queue.nextRequest(new Set(['a']))).toBeUndefined();
  });

  it('positions a call behind the calls of its caller, and as many of each other caller', () => {
    for (const caller of ['a', 'a', 'a', 'b', 'c', 'c']) add(caller);
    expect([0, 1, 2, 3].map((callsAhead) => queue.positionOf('a', callsAhead))).toEqual([0, 3, 5, 6]);
    expect(queue.positionOf('d', 1)).toBe(4);
  });
});

describe('the last entry of the caller with the most entries', () => {
  it.each(['call', 'reservation'] as const)('is the %s that was requested last', (kind) => {
    const last = kind === 'call' ? add('a', 3) : reserve('a', 3);
    add('a', 1);
    reserve('a', 2);
    for (const queued of [true, true, false, false]) add('b', 9, { queued });
    expect(queue.lastOfLongest('b')).toBe(last);
  });

  it('is that of the given caller if no other caller has more, and else that of the first caller', () => {
    const [a, c] = [add('a'), add('c')];
    add('b');
    expect([queue.lastOfLongest('a'), queue.lastOfLongest('c')]).toEqual([a, c]);
    const [b2, a2] = [add('b', 1), add('a', 1)];
    expect([queue.lastOfLongest('b'), queue.lastOfLongest('c')]).toEqual([b2, a2]);
  });
});
