import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.js';
import { SlowListener } from '../../test/slow-listener.js';
import { instanceRoleProvider } from './instance-role.js';
import { requestJson } from './request-json.js';
import { webIdentityProvider } from './web-identity.js';

const FIRST = '127.0.0.2';
const SECOND = '127.0.0.1';
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

/** Lets every name have two addresses. */
function resolveToTwoAddresses(): void {
  const spy = jest.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: unknown,
    done: (error: null, result: unknown) => void,
  ) =>
    done(
      null,
      [FIRST, SECOND].map((address) => ({ address, family: 4 })),
    )) as never);
  cleanups.push(() => spy.mockRestore());
}

async function startSlow(address: string, port = 0, body?: string): Promise<SlowListener> {
  const listener = await SlowListener.start(address, port, body);
  cleanups.push(() => listener.close());
  return listener;
}

async function startFast(port: number, body: unknown): Promise<void> {
  const server = createServer((_request, response) => response.end(JSON.stringify(body)));
  server.listen(port, SECOND);
  await once(server, 'listening');
  cleanups.push(() => (server.closeAllConnections(), server.close()));
}

describe('a request to an issuer with two addresses', () => {
  it('waits longer than 250 ms for the handshake of the first one', async () => {
    const slow = await startSlow(FIRST, 0, '{"from":"the first one"}');
    await startSlow(SECOND, slow.port);
    resolveToTwoAddresses();
    const connection = { connectTimeoutMs: 60_000, clock: new ManualClock() };
    const response = requestJson('the issuer', new URL(`http://issuer.test:${slow.port}`), connection, {});
    // It is blocked until Node.js's own timeout has passed: the handshake is still waiting.
    await sleep(300);
    slow.unblock();
    expect((await response).body).toEqual({ from: 'the first one' });
  });

  it.each([
    [
      'the metadata service',
      (endpoint: URL) => instanceRoleProvider({ role: 'a', endpoint, clock: new ManualClock() }),
      { Code: 'Success', TmpSecretId: 'AKIDa', TmpSecretKey: 'b', Token: 'c', ExpiredTime: 253_402_300_799 },
    ],
    [
      'the security token service',
      (endpoint: URL) =>
        webIdentityProvider({
          endpoint,
          region: 'ap-singapore',
          providerId: 'a',
          roleArn: 'b',
          tokenFile: 'c',
          read: async () => 'd',
          clock: new ManualClock(),
        }),
      {
        Response: {
          Credentials: { TmpSecretId: 'AKIDa', TmpSecretKey: 'b', Token: 'c' },
          ExpiredTime: 253_402_300_799,
        },
      },
    ],
  ])('reaches the second one when the first one is dead: %s', async (_, createProvider, body) => {
    const dead = await startSlow(FIRST);
    await startFast(dead.port, body);
    resolveToTwoAddresses();
    const provider = createProvider(new URL(`http://issuer.test:${dead.port}`));
    cleanups.push(() => provider.stop());
    await provider.start();
    expect(provider.getCredentials().secretId).toBe('AKIDa');
  });
});
