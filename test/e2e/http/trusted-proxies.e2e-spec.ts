import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { callerEntry } from '../../support/callers-file.js';
import { send } from '../../support/client.js';
import { gatewayFixture, tempFolderFixture } from '../../support/fixtures.js';
import { startGateway } from '../../support/gateway.js';

const folder = await tempFolderFixture();
const callersFile = join(folder, 'callers.json');
await writeFile(callersFile, JSON.stringify([callerEntry('rooms', 'key-1')]));
const variables = { ALLOW_ANONYMOUS: '', CALLERS_FILE: callersFile };
const { sandbox, gateway } = await gatewayFixture({}, { ...variables, TRUSTED_PROXIES: '127.0.0.0/8' });
const trustsNobody = await startGateway(sandbox, variables);
afterAll(() => trustsNobody.close());

let calls = 0;

/** Returns the logged address of a call without a key. */
async function loggedAddress(url: string, headers: Record<string, string>): Promise<unknown> {
  const requestId = `call-${(calls += 1)}`;
  await send(url, '/ingest-tasks/x', { headers: { ...headers, 'x-request-id': requestId } });
  return gateway.logs.find((entry) => entry['requestId'] === requestId)!['address'];
}

const wrongKey = (address: string) =>
  send(gateway.url, '/ingest-tasks/x', {
    headers: { authorization: 'Bearer wrong', 'x-forwarded-for': address },
  });

describe('the address of a client', () => {
  it('is the one that a trusted proxy has added, and not what the client has sent', async () => {
    expect(await loggedAddress(gateway.url, { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' })).toBe(
      '203.0.113.9',
    );
    expect(await loggedAddress(gateway.url, { forwarded: 'for=203.0.113.9;proto=https' })).toBe(
      '203.0.113.9',
    );
  });

  it('is that of the connection when no proxy is trusted', async () => {
    expect(await loggedAddress(trustsNobody.url, { 'x-forwarded-for': '203.0.113.9' })).toBe('127.0.0.1');
  });

  it('has its own delay of wrong keys', async () => {
    // Only the first 20 delayed responses of one address wait: the next one is closed at once.
    const responses = await Promise.all(Array.from({ length: 40 }, () => wrongKey('203.0.113.10')));
    expect(responses.filter(({ headers }) => headers.connection === 'close').length).toBeGreaterThan(0);
    expect((await wrongKey('203.0.113.11')).headers.connection).not.toBe('close');
  });

  it('is all that a trusted proxy can change', async () => {
    const paths = ['/openapi.json', '/docs', '/problems', '/problems/unauthenticated'];
    const spoofed = {
      'x-forwarded-host': 'spoofed.example',
      'x-forwarded-proto': 'spoofed',
      forwarded: 'host=spoofed.example;proto=spoofed',
    };
    for (const path of paths) {
      const { headers, ...response } = await send(gateway.url, path, { method: 'GET', headers: spoofed });
      const { headers: expected, ...others } = await send(gateway.url, path, { method: 'GET' });
      expect(response).toEqual(others);
      expect(JSON.stringify([headers, expected])).not.toContain('spoofed');
    }
  });
});
