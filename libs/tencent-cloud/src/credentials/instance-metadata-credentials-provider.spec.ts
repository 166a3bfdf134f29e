import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.js';
import { InstanceMetadataCredentialsProvider } from './instance-metadata-credentials-provider.js';
import { CredentialsUnavailableError } from './credentials-unavailable-error.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let close: () => void = () => {};

afterEach(() => close());

type Responder = (response: http.ServerResponse) => void;

const success =
  (clock: ManualClock, lifetimeMs: number, suffix = 'first'): Responder =>
  (response) =>
    response.end(
      JSON.stringify({
        TmpSecretId: `AKID${suffix}`,
        TmpSecretKey: `key-${suffix}`,
        Token: `token-${suffix}`,
        ExpiredTime: (clock.wallClockMs() + lifetimeMs) / 1000,
        Code: 'Success',
      }),
    );

/** A metadata service whose answer can be changed, and a source that asks it. */
async function withRole(role = 'stop-role') {
  const clock = new ManualClock();
  const events: string[] = [];
  const requestedUrls: string[] = [];
  const service = { respond: success(clock, HOUR) };
  const server = http.createServer((request, response) => {
    requestedUrls.push(request.url!);
    service.respond(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const source = new InstanceMetadataCredentialsProvider({
    role,
    clock,
    endpoint: new URL(`http://127.0.0.1:${port}`),
    observer: {
      loaded: (expiresAtMs) => void events.push(`until +${(expiresAtMs - clock.startMs) / MINUTE} min`),
      failed: (reason) => void events.push(reason),
    },
  });
  close = () => {
    source.stop();
    server.closeAllConnections();
    server.close();
  };
  /** Moves time to where the credentials are to be renewed, and waits until they are, or are not. */
  const renewalAfter = async (ms: number): Promise<void> => {
    const before = events.length;
    clock.advance(ms);
    while (events.length === before) await sleep(1);
  };
  return { clock, events, requestedUrls, service, source, renewalAfter };
}

describe('credentials of the instance’s role', () => {
  it('are those that the metadata service has for it', async () => {
    const { source, requestedUrls, events } = await withRole('a role+1');
    await source.start();
    expect(requestedUrls).toEqual(['/latest/meta-data/cam/security-credentials/a%20role%2B1']);
    const { secretId, secretKey, token } = source.getCredentials();
    expect([secretId, secretKey, token]).toEqual(['AKIDfirst', 'key-first', 'token-first']);
    expect(events).toEqual(['until +60 min']);
  });

  it('are renewed five minutes before they expire, once, however many ask for them', async () => {
    const { source, clock, service, requestedUrls, renewalAfter } = await withRole();
    await source.start();
    service.respond = success(clock, HOUR, 'second');
    clock.advance(55 * MINUTE - 1);
    for (let n = 0; n < 50; n += 1) expect(source.getCredentials().secretId).toBe('AKIDfirst');
    await renewalAfter(1);
    for (let n = 0; n < 50; n += 1) expect(source.getCredentials().secretId).toBe('AKIDsecond');
    expect(requestedUrls).toHaveLength(2);
  });

  it('are used until they really expire while the service fails, which is asked less and less often', async () => {
    const { source, clock, service, requestedUrls, events, renewalAfter } = await withRole();
    await source.start();
    service.respond = (response) => response.writeHead(500).end('TmpSecretKey');
    await renewalAfter(55 * MINUTE);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) await renewalAfter(seconds * 1000);
    clock.advance(56_999);
    expect(source.getCredentials().secretId).toBe('AKIDfirst');
    clock.advance(1);
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
    expect(requestedUrls).toHaveLength(11);
    expect(new Set(events.slice(1))).toEqual(new Set(['the metadata service answered HTTP 500']));
  });

  it('come back when the service does', async () => {
    const { source, clock, service, renewalAfter } = await withRole();
    service.respond = (response) => response.destroy();
    await source.start();
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
    service.respond = success(clock, HOUR, 'late');
    await renewalAfter(1000);
    expect(source.getCredentials().secretId).toBe('AKIDlate');
  });

  it('that arrive nearly expired make no hot loop', async () => {
    const { source, clock, service, events, renewalAfter } = await withRole();
    const expiresAt = clock.wallClockMs() + 20_000;
    service.respond = (response) => success(clock, expiresAt - clock.wallClockMs())(response);
    await source.start();
    await renewalAfter(10_000);
    expect(source.getCredentials().secretId).toBe('AKIDfirst');
    for (const seconds of [10, 1, 2, 4]) await renewalAfter(seconds * 1000);
    expect(events.slice(2)).toEqual(Array(4).fill('the metadata service answered with expired ones'));
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it('are not waited for without end', async () => {
    const { source, clock, service, events } = await withRole();
    service.respond = () => {};
    const started = source.start();
    clock.advance(2000);
    await started;
    expect(events).toEqual(['the metadata service did not answer in time']);
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it.each([
    ['no JSON', 'key-first', 'the metadata service did not answer with Success'],
    [
      'another code',
      '{"Code":"Failure","TmpSecretKey":"key-first"}',
      'the metadata service did not answer with Success',
    ],
    [
      'too little',
      '{"Code":"Success","TmpSecretKey":"key-first"}',
      'the metadata service did not answer with credentials',
    ],
    ['too much', 'x'.repeat(100_000), 'the metadata service cannot be reached (ERR_BAD_RESPONSE)'],
  ])('are not taken from an answer with %s, of which nothing is told', async (_, text, reason) => {
    const { source, service, events } = await withRole();
    service.respond = (response) => response.end(text);
    await source.start();
    expect(events).toEqual([reason]);
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it('are not fetched from where a redirect points', async () => {
    const { source, service, events, requestedUrls } = await withRole();
    service.respond = (response) => response.writeHead(302, { location: '/elsewhere' }).end();
    await source.start();
    expect(events).toEqual(['the metadata service answered HTTP 302']);
    expect(requestedUrls).toHaveLength(1);
  });
});
