import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  certificateForAnotherHost,
  expiredCertificate,
  selfSignedCertificate,
} from '../../../apps/sandbox/src/certificates.js';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { runOnce } from '../../support/run-once.js';
import { TcpServer } from '../../support/tcp-server.js';

/** Where the cloud does not answer at all. */
const QUICK = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' };
const UNREACHABLE = { status: 502, code: 'upstream-unreachable', outcome: 'not-sent', attempts: 3, slots: 3 };

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
});

afterAll(() => sandbox.close());

describe('a cloud that cannot be reached: nothing was sent, and the answer says so', () => {
  it('connection refused', async () => {
    const gone = await TcpServer.start(() => {});
    await gone.close();
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT: `http://127.0.0.1:${gone.port}` })).toMatchObject(
      UNREACHABLE,
    );
  });

  it('name not resolved', async () => {
    const TRTC_ENDPOINT = 'https://no-such-host.invalid';
    // However long the resolver of this machine takes to say no.
    const result = await runOnce(sandbox, 'x', { UPSTREAM_ATTEMPT_TIMEOUT_MS: '2000', TRTC_ENDPOINT });
    expect(result).toMatchObject({ status: 502, code: 'upstream-unreachable', outcome: 'not-sent' });
  });

  it.each([
    ['expired', expiredCertificate],
    ['self-signed', selfSignedCertificate],
    ['for another host', certificateForAnotherHost],
  ])('certificate %s: not a byte of the request is sent', async (_, certificate) => {
    const impostor = await startSandbox({ acceptUnknownTasks: true, certificate });
    expect(await runOnce(impostor, 'x')).toMatchObject(UNREACHABLE);
    expect(impostor.receivedRequests()).toEqual([]);
    await impostor.close();
  });

  it('TLS cut in the middle of the handshake', async () => {
    const cloud = await TcpServer.start((socket) => {
      socket.once('data', () => socket.end(Buffer.from('160303', 'hex')));
    });
    const TRTC_ENDPOINT = `https://127.0.0.1:${cloud.port}`;
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
    expect(cloud.connections).toBe(3);
    await cloud.close();
  });

  it('TLS never answered: a handshake that hangs is a cloud that was not reached', async () => {
    const cloud = await TcpServer.start(() => {});
    const TRTC_ENDPOINT = `https://127.0.0.1:${cloud.port}`;
    expect(await runOnce(sandbox, 'x', { ...QUICK, TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
    await cloud.close();
  });

  it('a server that does not speak TLS', async () => {
    const TRTC_ENDPOINT = sandbox.httpUrl.replace('http:', 'https:');
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject(UNREACHABLE);
  });
});

describe('a cloud that was reached and never answers over TCP', () => {
  it('is a timeout with an unknown outcome', async () => {
    const cloud = await TcpServer.start((socket) => void socket.resume());
    const TRTC_ENDPOINT = `http://127.0.0.1:${cloud.port}`;
    expect(await runOnce(sandbox, 'x', { ...QUICK, TRTC_ENDPOINT })).toMatchObject({
      status: 504,
      code: 'upstream-timeout',
      outcome: 'unknown',
      attempts: 3,
      slots: 3,
    });
    await cloud.close();
  });
});

describe('answers that are not HTTP', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n'],
    ['headers over every limit', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ])('%s', async (_, text) => {
    const cloud = await TcpServer.start((socket) => socket.once('data', () => socket.end(text)));
    const TRTC_ENDPOINT = `http://127.0.0.1:${cloud.port}`;
    expect(await runOnce(sandbox, 'x', { TRTC_ENDPOINT })).toMatchObject({
      status: 502,
      code: 'upstream-failed',
      outcome: 'unknown',
      attempts: 3,
    });
    await cloud.close();
  });
});

describe('a switch of protocols that nobody asked for', () => {
  it('is no answer', async () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
    const cloud = await TcpServer.start((socket) => socket.once('data', () => socket.end(text)));
    const TRTC_ENDPOINT = `http://127.0.0.1:${cloud.port}`;
    expect(await runOnce(sandbox, 'x', { ...QUICK, TRTC_ENDPOINT })).toMatchObject({
      status: 504,
      code: 'upstream-timeout',
      outcome: 'unknown',
    });
    await cloud.close();
  });
});

describe('a kept-alive connection that the far end closes just as it is reused', () => {
  it('costs the caller nothing: the call is made again on a new one', async () => {
    const cloud = await TcpServer.start((socket) => {
      let calls = 0;
      socket.on('data', () => {
        calls += 1;
        const body = '{"Response":{"RequestId":"r-1"}}';
        if (calls === 1) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        else socket.resetAndDestroy();
      });
    });
    const variables = { TRTC_ENDPOINT: `http://127.0.0.1:${cloud.port}` };
    expect(await runOnce(sandbox, ['first', 'second'], variables)).toMatchObject({
      status: 200,
      code: 'stopped',
      attempts: 3,
      slots: 3,
    });
    expect(cloud.connections).toBe(2);
    await cloud.close();
  });
});
