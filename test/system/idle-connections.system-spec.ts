import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { send, stopTask } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { GatewayProcess } from '../support/process.js';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
});

afterAll(() => sandbox.close());

describe('10,000 idle connections', () => {
  it('do not block new clients: the gateway closes the oldest', async () => {
    const gateway = new GatewayProcess({ ...gatewayEnvironment(sandbox), TRTC_ENDPOINT: sandbox.httpUrl });
    const url = await gateway.url();
    const { hostname, port } = new URL(url);
    const idle: Socket[] = [];
    try {
      for (let n = 0; n < 10_000; n += 100) {
        const batch = Array.from({ length: 100 }, () => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => {});
          return socket;
        });
        idle.push(...batch);
        await Promise.all(
          batch.map(
            (socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)),
          ),
        );
      }
      expect((await stopTask(url, 'valid-call')).status).toBe(200);
      expect((await send(url, '/readyz', { method: 'GET' })).status).toBe(200);
    } finally {
      for (const socket of idle) socket.destroy();
      gateway.kill('SIGKILL');
      await gateway.finished;
    }
  });
});
