import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import type { Slot } from '../slot-pool.js';
import type { SlotStore } from './slot-store.js';

const LATENCY_MS = 5;
const SETTLED = 10_000;
const PER_SECOND = 4;

let clock: VirtualClock;
let store: FakeRemoteStore;
let quota: Quota;
let otherReplica: Quota;
/** The acquire and renew commands of the first replica. */
let commands: string[];

function start(name: string, recorded: string[]): Quota {
  const client = store.clientFor(name, { latencyMs: LATENCY_MS });
  const record = (command: string, requests: Parameters<SlotStore['renew']>[1]): void => {
    const demand = requests.map(({ caller, newCalls }) => `${caller} ${newCalls}`).join(', ');
    recorded.push(`${clock.now() - SETTLED} ${command}: ${demand}`);
  };
  const recording: SlotStore = {
    ...client,
    acquire: (incarnation, id, requests) => {
      record('acquire', requests);
      return client.acquire(incarnation, id, requests);
    },
    renew: (incarnation, reports) => {
      record('renew', reports);
      return client.renew(incarnation, reports);
    },
  };
  return new Quota({ perSecond: PER_SECOND, clock, store: recording });
}

beforeEach(async () => {
  clock = new VirtualClock();
  store = new FakeRemoteStore(PER_SECOND, 60_000, clock);
  commands = [];
  quota = start('a', commands);
  otherReplica = start('b', []);
  await clock.runUntil(SETTLED);
});

/** Makes a call as the gateway does for one that may not wait. */
async function call(caller: string, from = quota): Promise<Slot | undefined> {
  return from.rejectIfExhausted(caller) ? undefined : from.acquire({ caller }).catch(() => undefined);
}

const lastCommandAt = (): number => Number(commands.at(-1)!.split(' ')[0]);

async function takeAllSlots(caller = 'holder'): Promise<Slot[]> {
  const acquired = Promise.all(Array.from({ length: PER_SECOND }, () => call(caller)));
  await clock.runUntil(clock.now() + 100);
  return (await acquired) as Slot[];
}

/** Makes a call each millisecond until the given time after the start. Returns the number of granted calls. */
async function flood(caller: string, untilMs: number): Promise<number> {
  let granted = 0;
  for (let at = clock.now() + 1; at <= SETTLED + untilMs; at += 1)
    clock.setTimer(at - clock.now(), () => void call(caller).then((slot) => (granted += slot ? 1 : 0)));
  await clock.runUntil(SETTLED + untilMs);
  return granted;
}

describe('a flood while all slots are in use', () => {
  it('sends one command each 100 ms, with the demand of all its callers', async () => {
    await takeAllSlots();
    for (const caller of ['one', 'two', 'three']) void call(caller);
    await clock.runUntil(SETTLED + 150);
    commands.length = 0;
    for (let at = 1; at <= 1000; at += 1)
      clock.setTimer(at, () => {
        for (const caller of ['one', 'two', 'three']) void call(caller);
      });
    await clock.runUntil(SETTLED + 1150);
    expect(commands.length).toBeLessThanOrEqual(10);
    const reports = commands.map((command) =>
      command
        .match(/: one (\d+), two (\d+), three (\d+)$/)
        ?.slice(1)
        .map(Number),
    );
    expect(reports).not.toContain(undefined);
    for (const caller of [0, 1, 2])
      expect(reports.reduce((sum, report) => sum + report![caller]!, 0)).toBeGreaterThan(850);
  });

  it('gets the slot at once that this replica releases unused', async () => {
    const [slot] = await takeAllSlots();
    await flood('one', 1000);
    const renewedAt = lastCommandAt();
    await flood('one', renewedAt + 120);
    expect(lastCommandAt()).toBe(renewedAt + 100);
    slot!.release('unused');
    expect(await flood('one', renewedAt + 160)).toBe(1);
  });

  it('gets the slot within 100 ms and two latencies that another replica releases unused', async () => {
    const acquired = call('holder', otherReplica);
    await clock.runUntil(SETTLED + 50);
    await takeAllSlots();
    await flood('one', 1000);
    (await acquired)!.release('unused');
    expect(await flood('one', 1000 + 100 + 4 * LATENCY_MS)).toBe(1);
  });

  it('sends no further command while the store does not respond', async () => {
    await takeAllSlots();
    await flood('one', 400);
    store.state = 'silent';
    commands.length = 0;
    await flood('one', 1000);
    expect(quota.rejectIfExhausted('one')).toBeUndefined();
    expect(commands.length).toBeLessThanOrEqual(2);
  });
});

describe('a caller that the store does not know', () => {
  it('asks the store although all slots are in use', async () => {
    await takeAllSlots();
    void call('one');
    await clock.runUntil(SETTLED + 110);
    commands.length = 0;
    void call('two');
    expect(commands).toEqual(['110 acquire: two 1']);
  });
});

describe('a call', () => {
  it('asks the store when the proof is 100 ms old', async () => {
    await takeAllSlots('one');
    void call('two');
    await flood('one', 300);
    // Without calls there is no renewal after the demand is reported.
    await clock.runUntil(SETTLED + 800);
    expect(lastCommandAt()).toBeLessThan(500);
    expect(quota.rejectIfExhausted('one')).toBeUndefined();
  });
});

describe('a caller that is alone again', () => {
  it('is rejected because no slot is free, not because of its share', async () => {
    const slots = await takeAllSlots('one');
    void call('two');
    await flood('one', 200);
    expect(quota.rejectIfExhausted('one')).toMatchObject({ reason: 'share' });
    for (const slot of slots) slot.release('completed');
    // The demand of the other caller expires.
    await clock.runUntil(SETTLED + 30_000);
    void call('one');
    await clock.runUntil(clock.now() + 3 * LATENCY_MS);
    for (let n = 0; n < PER_SECOND; n += 1) void call('one');
    await clock.runUntil(clock.now() + 50);
    expect(quota.rejectIfExhausted('one')).toMatchObject({ reason: 'quota' });
  });
});

describe('a call that finds the proof outdated', () => {
  it('joins its renewal, and gets the slot that it shows to be free', async () => {
    const acquired = call('holder', otherReplica);
    await clock.runUntil(SETTLED + 50);
    await takeAllSlots();
    await flood('one', 300);
    (await acquired)!.release('unused');
    const before = commands.length;
    await flood('one', 300 + 110);
    const renewal = commands.slice(before).find((command) => command.includes('renew'));
    const sentAt = Number(renewal!.split(' ')[0]);
    expect(commands.slice(before)).toEqual([renewal, `${sentAt + 2 * LATENCY_MS} acquire: one 1`]);
  });
});
