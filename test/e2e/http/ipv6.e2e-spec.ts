import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { send, stopTask } from '../../support/client.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';
import { GatewayProcess, Subprocess } from '../../support/process.js';
import { parseRawResponse, sendRaw } from '../../support/raw-http.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
const callersFile = join(await tempFolderFixture(), 'callers.json');
await writeFile(callersFile, JSON.stringify([callerEntry('rooms', 'key-1')]));
const KEY = bearerHeader('key-1');

let gateway: GatewayProcess;

afterEach(() => gateway.stop());

/** Starts a gateway. @returns the URL of its start entry */
async function start(host: string, variables: Record<string, string> = {}): Promise<URL> {
  gateway = new GatewayProcess({
    ...gatewayEnvironment(sandbox),
    TRTC_ENDPOINT: sandbox.httpUrl,
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
    HOST: host,
    ...variables,
  });
  return new URL(await gateway.url());
}

/** Returns the address in the log entry of a response. */
async function loggedAddress(requestId: unknown): Promise<unknown> {
  const entry = () => gateway.stdout.split('\n').find((line) => line.includes(String(requestId)));
  await eventually(() => entry() !== undefined);
  return (JSON.parse(entry()!) as Record<string, unknown>)['address'];
}

async function addressOfStop(url: string): Promise<unknown> {
  const { headers } = await stopTask(url, 'no-key');
  return loggedAddress(headers['x-request-id']);
}

async function addressOfMalformedRequest(url: string): Promise<unknown> {
  const response = parseRawResponse(await sendRaw(url, 'GET / HTTP/1.1\r\nBroken\r\n\r\n'));
  return loggedAddress(response.headers['x-request-id']);
}

describe('HOST=::', () => {
  it('serves IPv6 and IPv4, and logs a valid URL and the usual form of both addresses', async () => {
    const { port, hostname } = await start('::');
    expect(hostname).toBe('[::]');
    for (const [url, address] of [
      [`http://[::1]:${port}`, '::1'],
      [`http://127.0.0.1:${port}`, '127.0.0.1'],
    ] as const) {
      expect(await stopTask(url, 'on-all-addresses', '', KEY)).toMatchObject({ status: 200 });
      expect(await addressOfStop(url)).toBe(address);
      expect(await addressOfMalformedRequest(url)).toBe(address);
    }
  });

  it('recognizes a trusted proxy by its IPv4 address', async () => {
    const { port } = await start('::', { TRUSTED_PROXIES: '127.0.0.1' });
    const { headers } = await stopTask(`http://127.0.0.1:${port}`, 'x', '', {
      'x-forwarded-for': '203.0.113.9',
    });
    expect(await loggedAddress(headers['x-request-id'])).toBe('203.0.113.9');
  });
});

describe('HOST=::1', () => {
  it('serves only IPv6, and logs a valid URL', async () => {
    const { port, hostname, origin } = await start('::1');
    expect(hostname).toBe('[::1]');
    expect(await stopTask(origin, 'on-ipv6', '', KEY)).toMatchObject({ status: 200 });
    await expect(stopTask(`http://127.0.0.1:${port}`, 'x', '', KEY)).rejects.toThrow('ECONNREFUSED');
  });

  it('delays wrong keys by the first 64 bits of the address', async () => {
    const { origin } = await start('::1', { TRUSTED_PROXIES: '::1' });
    const sendWrongKey = (address: string) =>
      send(origin, '/ingest-tasks/x', {
        headers: { authorization: 'Bearer wrong', 'x-forwarded-for': address },
      });
    // Only the first 20 delayed responses of one prefix wait: the next one is closed at once.
    const neighbours = Array.from({ length: 40 }, (_, n) => sendWrongKey(`2001:db8:0:1::${n + 1}`));
    const connections = (await Promise.all(neighbours)).map(({ headers }) => headers.connection);
    expect(connections).toContain('close');
    expect((await sendWrongKey('2001:db8:0:2::1')).headers.connection).not.toBe('close');
  });
});

describe('the health check of the image', () => {
  it.each(['::1', '::', '0.0.0.0', '127.0.0.1'])('succeeds with HOST=%s', async (host) => {
    const { port } = await start(host);
    const check = [process.execPath, 'docker/healthcheck.mjs', '/livez', port];
    expect(await new Subprocess(check).finished).toMatchObject({ code: 0 });
  });
});
