import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { send, stopTask } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { tempFolderFixture } from '../support/fixtures.js';
import { GatewayProcess } from '../support/process.js';

const folder = await tempFolderFixture();
const MEBIBYTE = 1024 * 1024;
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
});

afterAll(() => sandbox.close());

/** A request of the greedy caller that costs no slot. */
const INVALID_STOP =
  'DELETE /ingest-tasks/%00 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer igw_greedy\r\n\r\n';

describe('10,000 idle connections', () => {
  it.each([
    ['without a key', ''],
    ['of one caller', INVALID_STOP],
  ])('do not block other clients, and use at most 192 MiB: %s', async (_, bytes) => {
    const callersFile = join(folder, 'callers.json');
    const callers = [callerEntry('greedy', 'igw_greedy'), callerEntry('modest', 'igw_modest')];
    await writeFile(callersFile, JSON.stringify(callers));
    const gateway = new GatewayProcess({
      ...gatewayEnvironment(sandbox),
      TRTC_ENDPOINT: sandbox.httpUrl,
      ALLOW_ANONYMOUS: '',
      CALLERS_FILE: callersFile,
    });
    const url = await gateway.url();
    const { hostname, port } = new URL(url);
    const before = gateway.residentBytes();
    const idle: Socket[] = [];
    try {
      for (let n = 0; n < 10_000; n += 100) {
        const batch = Array.from({ length: 100 }, () => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => {});
          if (bytes) socket.write(bytes);
          return socket;
        });
        idle.push(...batch);
        const event = bytes ? 'data' : 'connect';
        await Promise.all(
          batch.map((socket) => new Promise((resolve) => socket.once(event, resolve).once('close', resolve))),
        );
      }
      for (let n = 0; n < 10; n += 1) {
        expect((await stopTask(url, 'valid-call', '', bearerHeader('igw_modest'))).status).toBe(200);
        for (const path of ['/readyz', '/livez', '/metrics'])
          expect((await send(url, path, { method: 'GET' })).status).toBe(200);
      }
      expect((gateway.residentBytes() - before) / MEBIBYTE).toBeLessThan(192);
    } finally {
      for (const socket of idle) socket.destroy();
      gateway.kill('SIGKILL');
      await gateway.finished;
    }
  });
});
