import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  certificateForAnotherHost,
  expiredCertificate,
  selfSignedCertificate,
} from '../../../apps/sandbox/src/certificates.js';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { runOnce } from '../../support/run-once.js';
import { TcpServer } from '../../support/tcp-server.js';

/** For an upstream that never responds. These tests run concurrently, because they only wait for timeouts. */
const SHORT_TIMEOUTS = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' };
const UNREACHABLE = { status: 502, code: 'upstream-unreachable', outcome: 'not-sent', attempts: 3, slots: 3 };

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
});

afterAll(() => sandbox.close());

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

  it('when it closes the connection during the TLS handshake', async () => {
    const server = await TcpServer.start((socket) => {
      socket.once('data', () => socket.end(Buffer.from('160303', 'hex')));
    });
    const TRTC_ENDPOINT = `https://127.0.0.1:${server.port}`;
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
    expect(server.connections).toBe(3);
    await server.close();
  });

  it.concurrent('when it does not respond to the TLS handshake', async () => {
    const server = await TcpServer.start(() => {});
    const TRTC_ENDPOINT = `https://127.0.0.1:${server.port}`;
    expect(await runOnce(sandbox, 'x', { ...SHORT_TIMEOUTS, TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
    await server.close();
  });

  it('when it does not support TLS', async () => {
    const TRTC_ENDPOINT = sandbox.httpUrl.replace('http:', 'https:');
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
  });
});

describe('an upstream that accepts the request and never responds', () => {
  it.concurrent('results in upstream-timeout with outcome unknown', async () => {
    const server = await TcpServer.start((socket) => void socket.resume());
    const TRTC_ENDPOINT = `http://127.0.0.1:${server.port}`;
    expect(await runOnce(sandbox, 'x', { ...SHORT_TIMEOUTS, TRTC_ENDPOINT })).toMatchObject({
      status: 504,
      code: 'upstream-timeout',
      outcome: 'unknown',
      attempts: 3,
      slots: 3,
    });
    await server.close();
  });
});

describe('an invalid HTTP response results in upstream-failed with outcome unknown', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n'],
    ['headers over the limit', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`],
    ['two Content-Length headers', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ])('when it is %s', async (_, text) => {
    const server = await TcpServer.start((socket) => socket.once('data', () => socket.end(text)));
    const TRTC_ENDPOINT = `http://127.0.0.1:${server.port}`;
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject({
      status: 502,
      code: 'upstream-failed',
      outcome: 'unknown',
      attempts: 3,
    });
    await server.close();
  });
});

describe('an unrequested 101 Switching Protocols', () => {
  it.concurrent('is ignored, so the call times out', async () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
    const server = await TcpServer.start((socket) => socket.once('data', () => socket.end(text)));
    const TRTC_ENDPOINT = `http://127.0.0.1:${server.port}`;
    expect(await runOnce(sandbox, 'x', { ...SHORT_TIMEOUTS, TRTC_ENDPOINT })).toMatchObject({
      status: 504,
      code: 'upstream-timeout',
      outcome: 'unknown',
    });
    await server.close();
  });
});

describe('a keep-alive connection that the upstream resets on reuse', () => {
  it('is replaced, and the retry succeeds', async () => {
    const server = await TcpServer.start((socket) => {
      let calls = 0;
      socket.on('data', () => {
        calls += 1;
        const body = '{"Response":{"RequestId":"r-1"}}';
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
