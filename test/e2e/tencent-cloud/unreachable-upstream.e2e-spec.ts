import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  certificateForAnotherHost,
  expiredCertificate,
  selfSignedCertificate,
} from '../../../apps/sandbox/src/certificates.js';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { runOnce } from '../../support/run-once.js';
import { TcpServer } from '../../support/tcp-server.js';
import { sandboxFixture } from '../../support/fixtures.js';

/** For an upstream that never responds. These tests run concurrently, because they only wait for timeouts. */
const SHORT_TIMEOUTS = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' };
const UNREACHABLE = { status: 502, code: 'upstream-unreachable', outcome: 'not-sent', attempts: 3, slots: 3 };

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });

describe('an unreachable upstream results in upstream-unreachable with outcome not-sent', () => {
  it('when it rejects the connection', async () => {
    const closed = await TcpServer.start(() => {});
    await closed.close();
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT: `http://127.0.0.1:${closed.port}` })).toMatchObject(
      UNREACHABLE,
    );
  });

  it('when its name does not resolve', async () => {
    const TRTC_ENDPOINT = 'https://no-such-host.invalid';
    // The resolver may be slow, so the number of attempts is not checked.
    const result = await runOnce(sandbox, 'x', { UPSTREAM_ATTEMPT_TIMEOUT_MS: '2000', TRTC_ENDPOINT });
    expect(result).toMatchObject({ status: 502, code: 'upstream-unreachable', outcome: 'not-sent' });
  });

  it.each([
    ['expired', expiredCertificate],
    ['self-signed', selfSignedCertificate],
    ['for another host', certificateForAnotherHost],
  ])('when its certificate is %s, and it receives no byte of the request', async (_, certificate) => {
    const impostor = await startSandbox({ acceptUnknownTasks: true, certificate });
    expect(await runOnce(impostor, 'x')).toMatchObject(UNREACHABLE);
    expect(impostor.receivedRequests()).toEqual([]);
    await impostor.close();
  });

  it('when it does not support TLS', async () => {
    const TRTC_ENDPOINT = sandbox.httpUrl.replace('http:', 'https:');
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
  });
});

const TIMED_OUT = { status: 504, code: 'upstream-timeout', outcome: 'unknown', attempts: 3, slots: 3 };
const FAILED = { status: 502, code: 'upstream-failed', outcome: 'unknown', attempts: 3 };
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
const TWO_LENGTHS = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx';
const LONG_HEADERS = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`;
const respondWith =
  (bytes: string | Buffer) =>
  (socket: Socket): void =>
    void socket.once('data', () => socket.end(bytes));

type BrokenUpstream = [name: string, protocol: string, (socket: Socket) => void, expected: object];

describe('an upstream that', () => {
  it.concurrent.each<BrokenUpstream>([
    ['closes during the TLS handshake', 'https', respondWith(Buffer.from('160303', 'hex')), UNREACHABLE],
    ['does not respond to the TLS handshake', 'https', () => {}, UNREACHABLE],
    ['accepts the request and never responds', 'http', (socket) => void socket.resume(), TIMED_OUT],
    ['sends 101 without a request for it, which is ignored', 'http', respondWith(SWITCHING), TIMED_OUT],
    ['sends garbage', 'http', respondWith('hello\r\n\r\n'), FAILED],
    ['sends headers over the limit', 'http', respondWith(LONG_HEADERS), FAILED],
    ['sends two Content-Length headers', 'http', respondWith(TWO_LENGTHS), FAILED],
  ])('%s has the expected result', async (_, protocol, onConnection, expected) => {
    const server = await TcpServer.start(onConnection);
    const TRTC_ENDPOINT = `${protocol}://127.0.0.1:${server.port}`;
    expect(await runOnce(sandbox, 'x', { ...SHORT_TIMEOUTS, TRTC_ENDPOINT })).toMatchObject(expected);
    await server.close();
  });
});

describe('a keep-alive connection that the upstream resets on reuse', () => {
  it('is replaced, and the retry succeeds', async () => {
    const server = await TcpServer.start((socket) => {
      let calls = 0;
      socket.on('data', () => {
        calls += 1;
        const body = '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001"}}';
        if (calls === 1) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        else socket.resetAndDestroy();
      });
    });
    const variables = { TRTC_ENDPOINT: `http://127.0.0.1:${server.port}` };
    expect(await runOnce(sandbox, ['first', 'second'], variables)).toMatchObject({
      status: 200,
      code: 'stopped',
      attempts: 3,
      slots: 3,
    });
    expect(server.connections).toBe(2);
    await server.close();
  });
});
