import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { gatewayFixture, tempFolderFixture } from '../../support/fixtures.js';
import { readMetric } from '../../support/metrics.js';
import { sendRaw } from '../../support/raw-http.js';

const CALLS = 120;

const folder = await tempFolderFixture();
const callersFile = join(folder, 'callers.json');
await writeFile(callersFile, JSON.stringify([callerEntry('rooms', 'key-1')]));
const { gateway } = await gatewayFixture(
  { quotaPerSecond: 1000 },
  { ALLOW_ANONYMOUS: '', CALLERS_FILE: callersFile, QUOTA_PER_SECOND: '1000' },
);

beforeEach(() => {
  gateway.logs.length = 0;
});

const entriesOf = (event: string) => gateway.logs.filter((entry) => entry['event'] === event);

const sampledCount = () => entriesOf('requests-sampled').reduce((sum, { count }) => sum + Number(count), 0);

/** Waits until each of the calls has an entry or is counted. Returns how many are counted. */
async function countSampled(event: string, source: Record<string, string>): Promise<number> {
  await eventually(() => entriesOf(event).length + sampledCount() === CALLS);
  for (const entry of entriesOf('requests-sampled')) expect(entry).toMatchObject(source);
  return sampledCount();
}

describe('in a flood, at most ten entries per second are written, and the others are counted,', () => {
  it('of requests without a key from one address', async () => {
    const selector = 'ingest_gateway_stop_requests_total{caller="unknown",result="unauthenticated"}';
    const before = await readMetric(gateway.url, selector);
    const request = 'DELETE /ingest-tasks/x HTTP/1.1\r\nHost: x\r\n\r\n';
    await sendRaw(gateway.url, request.repeat(CALLS), { halfClose: true });
    // The flood may take several seconds on a busy machine.
    expect(await countSampled('stop-completed', { address: '127.0.0.1' })).toBeGreaterThan(0);
    expect(await readMetric(gateway.url, selector)).toBe(before + CALLS);
  });

  it('of malformed requests from one address', async () => {
    for (let call = 0; call < CALLS; call += 30)
      await Promise.all(Array.from({ length: 30 }, () => sendRaw(gateway.url, 'nonsense\r\n\r\n')));
    expect(await countSampled('request-malformed', { address: '127.0.0.1' })).toBeGreaterThan(0);
  });

  it('of rejected calls of one caller', async () => {
    await Promise.all(
      Array.from({ length: CALLS }, () =>
        send(gateway.url, '/ingest-tasks/x?a=b', { headers: bearerHeader('key-1') }),
      ),
    );
    expect(await countSampled('stop-completed', { caller: 'rooms' })).toBeGreaterThan(0);
  });
});

describe('a call that was sent', () => {
  it('has an entry of its own, however many there are', async () => {
    await Promise.all(
      Array.from({ length: CALLS }, (_, call) =>
        send(gateway.url, `/ingest-tasks/unknown-${call}`, { headers: bearerHeader('key-1') }),
      ),
    );
    await eventually(() => entriesOf('stop-completed').length === CALLS);
    expect(new Set(entriesOf('stop-completed').map(({ result }) => result))).toEqual(
      new Set(['task-not-found']),
    );
    expect(entriesOf('requests-sampled')).toEqual([]);
  });
});
