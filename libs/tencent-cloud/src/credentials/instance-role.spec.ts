import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HandWoundClock } from '../../test/hand-wound-clock.js';
import { InstanceRole } from './instance-role.js';
import { NoCredentials } from './no-credentials.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let close: () => void = () => {};

afterEach(() => close());

type Answer = (response: http.ServerResponse) => void;

const success =
  (clock: HandWoundClock, lifeMs: number, pair = 'first'): Answer =>
  (response) =>
    response.end(
      JSON.stringify({
        TmpSecretId: `AKID${pair}`,
        TmpSecretKey: `key-${pair}`,
        Token: `token-${pair}`,
        ExpiredTime: (clock.epochMs() + lifeMs) / 1000,
        Code: 'Success',
      }),
    );

/** A metadata service whose answer can be changed, and a source that asks it. */
async function withRole(role = 'stop-role') {
  const clock = new HandWoundClock();
  const told: string[] = [];
  const asked: string[] = [];
  const service = { answer: success(clock, HOUR) };
  const server = http.createServer((request, response) => {
    asked.push(request.url!);
    service.answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const source = new InstanceRole({
    role,
    clock,
    service: new URL(`http://127.0.0.1:${port}`),
    observer: {
      loaded: (expireAtMs) => void told.push(`until +${(expireAtMs - clock.startMs) / MINUTE} min`),
      failed: (reason) => void told.push(reason),
    },
  });
  close = () => {
    source.stop();
    server.closeAllConnections();
    server.close();
  };
  /** Moves time to where the credentials are to be renewed, and waits until they are, or are not. */
  const renewalAfter = async (ms: number): Promise<void> => {
    const before = told.length;
    clock.move(ms);
    while (told.length === before) await sleep(1);
  };
  return { clock, told, asked, service, source, renewalAfter };
}

describe('credentials of the instance’s role', () => {
  it('are those that the metadata service has for it', async () => {
    const { source, asked, told } = await withRole('a role+1');
    await source.start();
    expect(asked).toEqual(['/latest/meta-data/cam/security-credentials/a%20role%2B1']);
    const { secretId, secretKey, token } = source.current();
    expect([secretId, secretKey, token]).toEqual(['AKIDfirst', 'key-first', 'token-first']);
    expect(told).toEqual(['until +60 min']);
  });

  it('are renewed five minutes before they expire, once, however many ask for them', async () => {
    const { source, clock, service, asked, renewalAfter } = await withRole();
    await source.start();
    service.answer = success(clock, HOUR, 'second');
    clock.move(55 * MINUTE - 1);
    for (let n = 0; n < 50; n += 1) expect(source.current().secretId).toBe('AKIDfirst');
    await renewalAfter(1);
    for (let n = 0; n < 50; n += 1) expect(source.current().secretId).toBe('AKIDsecond');
    expect(asked).toHaveLength(2);
  });

  it('are used until they really expire while the service fails, which is asked less and less often', async () => {
    const { source, clock, service, asked, told, renewalAfter } = await withRole();
    await source.start();
    service.answer = (response) => response.writeHead(500).end('TmpSecretKey');
    await renewalAfter(55 * MINUTE);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) await renewalAfter(seconds * 1000);
    clock.move(56_999);
    expect(source.current().secretId).toBe('AKIDfirst');
    clock.move(1);
    expect(() => source.current()).toThrow(NoCredentials);
    expect(asked).toHaveLength(11);
    expect(new Set(told.slice(1))).toEqual(new Set(['the metadata service answered HTTP 500']));
  });

  it('come back when the service does', async () => {
    const { source, clock, service, renewalAfter } = await withRole();
    service.answer = (response) => response.destroy();
    await source.start();
    expect(() => source.current()).toThrow(NoCredentials);
    service.answer = success(clock, HOUR, 'late');
    await renewalAfter(1000);
    expect(source.current().secretId).toBe('AKIDlate');
  });

  it('that arrive nearly expired make no hot loop', async () => {
    const { source, clock, service, told, renewalAfter } = await withRole();
    const expireAt = clock.epochMs() + 20_000;
    service.answer = (response) => success(clock, expireAt - clock.epochMs())(response);
    await source.start();
    await renewalAfter(10_000);
    expect(source.current().secretId).toBe('AKIDfirst');
    for (const seconds of [10, 1, 2, 4]) await renewalAfter(seconds * 1000);
    expect(told.slice(2)).toEqual(Array(4).fill('the metadata service answered with expired ones'));
    expect(() => source.current()).toThrow(NoCredentials);
  });

  it('are not waited for without end', async () => {
    const { source, clock, service, told } = await withRole();
    service.answer = () => {};
    const started = source.start();
    clock.move(2000);
    await started;
    expect(told).toEqual(['the metadata service did not answer in time']);
    expect(() => source.current()).toThrow(NoCredentials);
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
    const { source, service, told } = await withRole();
    service.answer = (response) => response.end(text);
    await source.start();
    expect(told).toEqual([reason]);
    expect(() => source.current()).toThrow(NoCredentials);
  });

  it('are not fetched from where a redirect points', async () => {
    const { source, service, told, asked } = await withRole();
    service.answer = (response) => response.writeHead(302, { location: '/elsewhere' }).end();
    await source.start();
    expect(told).toEqual(['the metadata service answered HTTP 302']);
    expect(asked).toHaveLength(1);
  });
});
