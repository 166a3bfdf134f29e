import { beforeEach, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Leases } from '../local/leases.js';
import { type MembershipState, NOT_A_MEMBER, type SlotStore, SlotStoreError } from './slot-store.js';
import { StoreMembership } from './store-membership.js';

const snapshot = { capacity: 20, expiresInMs: [], nextChangeInMs: 1001 };
const STATE: MembershipState = { fallbackSlots: 10, epoch: 1, warmupMs: 0, snapshot };
const NEVER = new Promise<never>(() => {});

let clock: VirtualClock;
let leases: Leases;
let membership: StoreMembership;
let listener: Parameters<SlotStore['open']>[0];
let events: string[];
let joinRequests: Parameters<SlotStore['join']>[];
let nextProofAt: number;
let respondToJoin: () => Promise<MembershipState>;
let respondToHeartbeat: () => Promise<MembershipState>;

const record = (event: string): void => void events.push(`${clock.now()} ${event}`);

beforeEach(() => {
  clock = new VirtualClock();
  leases = new Leases();
  events = [];
  joinRequests = [];
  nextProofAt = Infinity;
  respondToJoin = () => Promise.resolve(STATE);
  respondToHeartbeat = () => Promise.resolve(STATE);
  const store: SlotStore = {
    replica: 'a',
    open: (given) => void (listener = given),
    join: (...request) => {
      record(`join ${request[0]}`);
      joinRequests.push(request);
      return respondToJoin();
    },
    heartbeat: (incarnation, { fallbackSlots, epoch }) => {
      record(`heartbeat ${incarnation} acknowledges ${fallbackSlots} of epoch ${epoch}`);
      return respondToHeartbeat();
    },
    acquire: () => NEVER,
    renew: () => NEVER,
    release: () => NEVER,
    nextProofAt: () => nextProofAt,
    reduce: () => NEVER,
    reconnect: () => record('reconnect'),
    close: () => Promise.resolve(record('close')),
  };
  membership = new StoreMembership({
    store,
    clock,
    leases,
    joined: (_, isFirst) => record(`joined${isFirst ? ' for the first time' : ''}`),
    updated: () => {},
    disconnected: () => record('left'),
    observer: {
      storeConnected: () => record('connected'),
      storeDisconnected: (reason, fallbackSlots) => record(`disconnected ${reason} ${fallbackSlots}`),
    },
  });
});

/** Joins, and waits until the acknowledgement is sent. */
async function join(): Promise<void> {
  listener.connected();
  await clock.runUntil(clock.now());
  events.length = 0;
}

describe('a replica that joins', () => {
  it('joins when the store connects, acknowledges its fallback slots at once, and sends a heartbeat each second', async () => {
    await clock.runUntil(100);
    listener.connected();
    await clock.runUntil(2500);
    expect(events).toEqual([
      '100 join 1',
      '100 connected',
      '100 joined for the first time',
      '100 heartbeat 1 acknowledges 10 of epoch 1',
      '1100 heartbeat 1 acknowledges 10 of epoch 1',
      '2100 heartbeat 1 acknowledges 10 of epoch 1',
    ]);
    expect([membership.isMember, membership.fallbackSlots]).toEqual([true, 10]);
  });

  it.each([
    ['fallback slots', { fallbackSlots: 6, epoch: 1 }, 'heartbeat 1 acknowledges 6 of epoch 1'],
    ['epoch', { fallbackSlots: 10, epoch: 2 }, 'heartbeat 1 acknowledges 10 of epoch 2'],
  ])('acknowledges a change of its %s at once', async (_, state, acknowledgement) => {
    await join();
    respondToHeartbeat = () => Promise.resolve({ ...STATE, ...state });
    await clock.runUntil(1500);
    expect(events).toEqual(['1000 heartbeat 1 acknowledges 10 of epoch 1', `1000 ${acknowledgement}`]);
  });

  it('sends its next heartbeat when it can prove that the latest release is one second old', async () => {
    await join();
    nextProofAt = 1250;
    await clock.runUntil(1200);
    nextProofAt = Infinity;
    await clock.runUntil(2400);
    expect(events.map((event) => event.split(' ', 1)[0])).toEqual(['1000', '1250', '2250']);
  });

  it('joins after one second although the store has not connected', async () => {
    await clock.runUntil(999);
    expect(events).toEqual([]);
    await clock.runUntil(1000);
    expect(events.slice(0, 2)).toEqual(['1000 join 1', '1000 connected']);
  });

  it('retries 200 ms after a join without a response within 250 ms, and reports the disconnection once', async () => {
    respondToJoin = () => NEVER;
    listener.connected();
    await clock.runUntil(800);
    expect(events).toEqual([
      '0 join 1',
      '251 disconnected timeout 0',
      '251 reconnect',
      '451 join 2',
      '702 reconnect',
    ]);
  });

  it('retries 200 ms after a join that failed, and reports the reason of the store', async () => {
    respondToJoin = () => Promise.reject(new SlotStoreError('OOM'));
    listener.connected();
    await clock.runUntil(200);
    expect(events).toEqual([
      '0 join 1',
      '0 disconnected OOM 0',
      '0 reconnect',
      '200 join 2',
      '200 reconnect',
    ]);
  });

  it('registers every lease with its remaining time, and registers again if one changes before the response', async () => {
    leases.add('in-flight', 'a');
    leases.add('released', 'b', 400);
    leases.add('over', 'c', 100);
    await clock.runUntil(100);
    const response = Promise.withResolvers<MembershipState>();
    respondToJoin = () => response.promise;
    listener.connected();
    leases.release('in-flight', 1100);
    respondToJoin = () => Promise.resolve(STATE);
    response.resolve(STATE);
    await clock.runUntil(100);
    expect(joinRequests).toEqual([
      [
        1,
        0,
        [
          { id: 'in-flight', caller: 'a', expiresInMs: Infinity },
          { id: 'released', caller: 'b', expiresInMs: 300 },
        ],
      ],
      [
        2,
        0,
        [
          { id: 'in-flight', caller: 'a', expiresInMs: 1000 },
          { id: 'released', caller: 'b', expiresInMs: 300 },
        ],
      ],
    ]);
    expect(events.filter((event) => event.includes(' connected'))).toEqual(['100 connected']);
  });
});

describe('a member', () => {
  it('receives the response to a command', async () => {
    await join();
    expect(await membership.command(() => Promise.resolve('reply'))).toBe('reply');
    expect(events).toEqual([]);
  });

  it('receives a response that is ready right after the timeout, as after a stall of this process', async () => {
    await join();
    const { promise, resolve } = Promise.withResolvers<string>();
    const reply = membership.command(() => promise);
    clock.setTimer(250, () => resolve('reply'));
    await clock.runUntil(300);
    expect(await reply).toBe('reply');
    expect([events, clock.pending]).toEqual([[], 1]);
  });

  it.each([
    ['does not respond within 250 ms', () => NEVER, 251, 'timeout'],
    ['fails', () => Promise.reject(new SlotStoreError('READONLY')), 0, 'READONLY'],
    ['does not know it', () => Promise.reject(new SlotStoreError(NOT_A_MEMBER)), 0, 'not-a-member'],
  ] as const)(
    'ends its membership when the store %s, and joins again 200 ms later',
    async (_, respond, at, reason) => {
      await join();
      const replies: unknown[] = [];
      void membership.command<string>(respond).then((reply) => replies.push(reply));
      await clock.runUntil(at);
      expect(replies).toEqual([undefined]);
      expect(membership.isMember).toBe(false);
      await clock.runUntil(at + 200);
      expect(events).toEqual([
        `${at} disconnected ${reason} 10`,
        `${at} reconnect`,
        `${at} left`,
        `${at + 200} join 2`,
        `${at + 200} connected`,
        `${at + 200} joined`,
      ]);
    },
  );

  it('ignores the response to a command that it sent before its membership ended', async () => {
    await join();
    const [late, failed] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const replies = Promise.all([late, failed].map(({ promise }) => membership.command(() => promise)));
    listener.disconnected('closed');
    listener.connected();
    await clock.runUntil(0);
    late.resolve('reply');
    failed.reject(new SlotStoreError('closed'));
    expect(await replies).toEqual([undefined, undefined]);
    expect(membership.isMember).toBe(true);
    expect(events).toEqual([
      '0 disconnected closed 10',
      '0 reconnect',
      '0 left',
      '0 join 2',
      '0 connected',
      '0 joined',
    ]);
  });

  it('does nothing after it is closed', async () => {
    await join();
    await membership.close();
    listener.disconnected('closed');
    listener.connected();
    await clock.runUntil(5000);
    expect(events).toEqual(['0 close']);
    expect(clock.pending).toBe(0);
  });
});
