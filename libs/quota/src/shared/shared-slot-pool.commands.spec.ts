import { describe, expect, it } from '@jest/globals';
import { FakeRemoteStore } from '../../test/fake-remote-store.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { Quota } from '../quota.js';
import type { SlotStore } from './slot-store.js';

const LATENCY_MS = 5;

let clock: VirtualClock;
let commands: string[];
let remote: FakeRemoteStore;

/** Starts the only replica, with one slot. Its commands to the store are recorded. */
async function start(): Promise<Quota> {
  clock = new VirtualClock();
  commands = [];
  remote = new FakeRemoteStore(1, 6000, clock);
  const client = remote.clientFor('a', { latencyMs: LATENCY_MS });
  const record = (command: string): void => void commands.push(`${command} at ${clock.now()}`);
  const store: SlotStore = {
    ...client,
    acquire: (...args: Parameters<typeof client.acquire>) => {
      record('acquire');
      return client.acquire(...args);
    },
    release: (...args: Parameters<typeof client.release>) => {
      record(`release for ${args[2]} ms`);
      return client.release(...args);
    },
  };
  const quota = new Quota({ perSecond: 1, clock, store });
  await clock.runUntil(10_000);
  return quota;
}

describe('a call that waits for a shared slot', () => {
  it('sends its next request to the store when a slot is free, and none before', async () => {
    const quota = await start();
    const acquired = quota.acquire();
    await clock.runUntil(10_010);
    (await acquired).release('completed');
    await clock.runUntil(10_100);
    commands.length = 0;
    void quota.acquire({ waitMs: 5000 }).then(() => commands.push(`granted at ${clock.now()}`));
    await clock.runUntil(15_000);
    expect(commands).toEqual(['acquire at 10100', 'acquire at 11020', 'granted at 11030']);
  });

  it('asks again 5 ms after each reply while another replica has yet to prove the age of a release', async () => {
    const quota = await start();
    const other = new Quota({ perSecond: 1, clock, store: remote.clientFor('b', { latencyMs: 40 }) });
    await clock.runUntil(20_000);
    const acquired = other.acquire();
    await clock.runUntil(20_200);
    (await acquired).release('completed');
    commands.length = 0;
    void quota.acquire({ waitMs: 5000 }).then(() => commands.push(`granted at ${clock.now()}`));
    await clock.runUntil(22_000);
    expect(commands).toEqual([
      'acquire at 20200',
      'acquire at 21211',
      'acquire at 21226',
      'acquire at 21241',
      'acquire at 21256',
      'acquire at 21271',
      'acquire at 21286',
      'acquire at 21301',
      'acquire at 21316',
      'granted at 21326',
    ]);
  });
});

describe('a slot of the store', () => {
  it.each([
    ['completed', 1000],
    ['throttled', 1000],
    ['abandoned', 3000],
    ['unused', 0],
  ] as const)('that is released as %s is leased for another %d ms', async (reason, holdMs) => {
    const quota = await start();
    const acquired = quota.acquire();
    await clock.runUntil(10_010);
    (await acquired).release(reason);
    expect(commands).toEqual(['acquire at 10000', `release for ${holdMs} ms at 10010`]);
  });
});
