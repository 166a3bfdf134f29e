import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.js';
import { instanceRoleProvider } from './instance-role.js';
import { CredentialsUnavailableError } from './credentials-provider.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let close: () => void = () => {};

afterEach(() => close());

type Responder = (response: http.ServerResponse) => void;

const success =
  (
    clock: ManualClock,
    lifetimeMs: number,
    suffix = 'first',
    changes = {},
    clockOffsetMs = 0,
    date?: string,
  ): Responder =>
  (response) => {
    const now = clock.wallClockMs() + clockOffsetMs;
    response.setHeader('date', date ?? new Date(now).toUTCString());
    response.end(
      JSON.stringify({
        TmpSecretId: `AKID${suffix}`,
        TmpSecretKey: `key-${suffix}`,
        Token: `token-${suffix}`,
        ExpiredTime: (now + lifetimeMs) / 1000,
        Code: 'Success',
        ...changes,
      }),
    );
  };

/** Starts a metadata service whose response a test can change, and a provider that uses it. */
async function createProvider(role = 'stop-role') {
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
  const provider = instanceRoleProvider({
    role,
    clock,
    endpoint: new URL(`http://127.0.0.1:${port}`),
    observer: {
      loaded: (expiresAtMs) => void events.push(`until +${(expiresAtMs - clock.startMs) / MINUTE} min`),
      failed: (reason) => void events.push(reason),
    },
  });
  close = () => {
    provider.stop();
    server.closeAllConnections();
    server.close();
  };
  /** Advances the clock to the next request, and waits for its result. */
  const nextResultAfter = async (ms: number): Promise<void> => {
    const before = events.length;
    clock.advance(ms);
    while (events.length === before) await sleep(1);
  };
  return { clock, events, requestedUrls, service, provider, nextResultAfter };
}

describe('instanceRoleProvider', () => {
  it('loads the credentials of the role from the metadata service', async () => {
    const { provider, requestedUrls, events } = await createProvider('a role+1');
    await provider.start();
    expect(requestedUrls).toEqual(['/latest/meta-data/cam/security-credentials/a%20role%2B1']);
    const { secretId, secretKey, token } = provider.getCredentials();
    expect([secretId, secretKey, token]).toEqual(['AKIDfirst', 'key-first', 'token-first']);
    expect(events).toEqual(['until +60 min']);
  });

  it('renews credentials once, five minutes before they expire, however often they are read', async () => {
    const { provider, clock, service, requestedUrls, nextResultAfter } = await createProvider();
    await provider.start();
    service.respond = success(clock, HOUR, 'second');
    clock.advance(55 * MINUTE - 1);
    for (let n = 0; n < 50; n += 1) expect(provider.getCredentials().secretId).toBe('AKIDfirst');
    await nextResultAfter(1);
    for (let n = 0; n < 50; n += 1) expect(provider.getCredentials().secretId).toBe('AKIDsecond');
    expect(requestedUrls).toHaveLength(2);
  });

  it('uses credentials until they expire while the service fails, and retries with exponential backoff', async () => {
    const { provider, clock, service, requestedUrls, events, nextResultAfter } = await createProvider();
    await provider.start();
    service.respond = (response) => response.writeHead(500).end('TmpSecretKey');
    await nextResultAfter(55 * MINUTE);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) await nextResultAfter(seconds * 1000);
    clock.advance(56_999);
    expect(provider.getCredentials().secretId).toBe('AKIDfirst');
    clock.advance(1);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
    expect(requestedUrls).toHaveLength(11);
    expect(new Set(events.slice(1))).toEqual(new Set(['the metadata service returned HTTP 500']));
  });

  it('loads credentials when the service has recovered', async () => {
    const { provider, clock, service, nextResultAfter } = await createProvider();
    service.respond = (response) => response.destroy();
    await provider.start();
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
    service.respond = success(clock, HOUR, 'late');
    await nextResultAfter(1000);
    expect(provider.getCredentials().secretId).toBe('AKIDlate');
  });

  it('waits ten seconds before it renews credentials that expire soon', async () => {
    const { provider, clock, service, events, nextResultAfter } = await createProvider();
    const expiresAt = clock.wallClockMs() + 20_000;
    service.respond = (response) => success(clock, expiresAt - clock.wallClockMs())(response);
    await provider.start();
    await nextResultAfter(10_000);
    expect(provider.getCredentials().secretId).toBe('AKIDfirst');
    for (const seconds of [10, 1, 2, 4]) await nextResultAfter(seconds * 1000);
    expect(events.slice(2)).toEqual(Array(4).fill('the metadata service returned expired credentials'));
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it('fails when the service does not respond within two seconds', async () => {
    const { provider, clock, service, events } = await createProvider();
    service.respond = () => {};
    const started = provider.start();
    clock.advance(2000);
    await started;
    expect(events).toEqual(['the metadata service did not respond in time']);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it.each([
    ['invalid JSON', 'key-first', 'the metadata service did not return the code Success'],
    [
      'another code',
      '{"Code":"Failure","TmpSecretKey":"key-first"}',
      'the metadata service did not return the code Success',
    ],
    ['too many bytes', 'x'.repeat(100_000), 'the metadata service cannot be reached (ERR_BAD_RESPONSE)'],
  ])('rejects a response with %s, and reports none of its content', async (_, text, reason) => {
    const { provider, service, events } = await createProvider();
    service.respond = (response) => response.end(text);
    await provider.start();
    expect(events).toEqual([reason]);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it('follows no redirect', async () => {
    const { provider, service, events, requestedUrls } = await createProvider();
    service.respond = (response) => response.writeHead(302, { location: '/elsewhere' }).end();
    await provider.start();
    expect(events).toEqual(['the metadata service returned HTTP 302']);
    expect(requestedUrls).toHaveLength(1);
  });

  it.each([
    ['no TmpSecretId', { TmpSecretId: undefined }],
    ['an empty TmpSecretId', { TmpSecretId: '' }],
    ['a TmpSecretId of two words', { TmpSecretId: 'a b' }],
    ['a TmpSecretKey that is a number', { TmpSecretKey: 1 }],
    ['a TmpSecretKey of two lines', { TmpSecretKey: 'a\nb' }],
    ['no Token', { Token: undefined }],
    ['a Token of two words', { Token: 'a b' }],
    ['an ExpiredTime that is text', { ExpiredTime: '1767229200' }],
    ['no ExpiredTime', { ExpiredTime: undefined }],
    ['an ExpiredTime after the year 9999', { ExpiredTime: 253_402_300_800 }],
    ['a negative ExpiredTime', { ExpiredTime: -1 }],
  ])('rejects a response with %s', async (_, changes) => {
    const { provider, clock, service, events } = await createProvider();
    service.respond = success(clock, HOUR, 'first', changes);
    await provider.start();
    expect(events).toEqual(['the metadata service did not return credentials']);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it.each([
    ['two hours slow', 2 * HOUR],
    ['two hours fast', -2 * HOUR],
  ])('uses credentials for their whole lifetime when the clock of this machine is %s', async (_, offset) => {
    const { provider, clock, service, requestedUrls, nextResultAfter } = await createProvider();
    service.respond = success(clock, HOUR, 'first', {}, offset);
    await provider.start();
    service.respond = (response) => response.destroy();
    clock.advance(55 * MINUTE - 1);
    expect(requestedUrls).toHaveLength(1);
    await nextResultAfter(1);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) await nextResultAfter(seconds * 1000);
    clock.advance(56_999);
    expect(provider.getCredentials().secretId).toBe('AKIDfirst');
    clock.advance(1);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it.each(['Mon, 01 Jan 1900 00:00:00 GMT', 'Sat, 13 Sep 275760 00:00:00 GMT', 'yesterday', ''])(
    'uses the clock of this machine when the Date header of the response is "%s"',
    async (date) => {
      const { provider, clock, service, events, nextResultAfter } = await createProvider();
      service.respond = success(clock, HOUR, 'first', {}, 0, date);
      await provider.start();
      expect(events).toEqual(['until +60 min']);
      clock.advance(55 * MINUTE - 1);
      expect(provider.getCredentials().secretId).toBe('AKIDfirst');
      service.respond = success(clock, HOUR, 'second');
      await nextResultAfter(1);
      expect(provider.getCredentials().secretId).toBe('AKIDsecond');
    },
  );

  it('renews credentials after a day when they expire much later', async () => {
    const { provider, clock, service, requestedUrls, nextResultAfter } = await createProvider();
    service.respond = success(clock, 1000 * 24 * HOUR);
    await provider.start();
    clock.advance(24 * HOUR - 5 * MINUTE - 1);
    expect(requestedUrls).toHaveLength(1);
    await nextResultAfter(1);
    expect(requestedUrls).toHaveLength(2);
  });

  it('renews credentials at once on request, with one request at a time', async () => {
    const { provider, clock, service, requestedUrls, events } = await createProvider();
    await provider.start();
    service.respond = success(clock, HOUR, 'second');
    await Promise.all([provider.renew(), provider.renew()]);
    expect(provider.getCredentials().secretId).toBe('AKIDsecond');
    expect(requestedUrls).toHaveLength(2);
    clock.advance(55 * MINUTE - 1);
    expect(events).toEqual(['until +60 min', 'until +60 min']);
    expect(requestedUrls).toHaveLength(2);
  });

  it('keeps the credentials when they cannot be renewed on request', async () => {
    const { provider, service, events } = await createProvider();
    await provider.start();
    service.respond = (response) => response.destroy();
    await provider.renew();
    expect(provider.getCredentials().secretId).toBe('AKIDfirst');
    expect(events[1]).toBe('the metadata service cannot be reached (ECONNRESET)');
  });
});
