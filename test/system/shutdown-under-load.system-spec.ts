import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, send } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { gatewayEnvironment } from '../support/environment.js';
import { LONG_TIMEOUTS } from '../support/gateway.js';
import { GatewayProcess } from '../support/process.js';

// A system test, because a process without CPU time for half a second cannot accept pending connections.
describe('SIGTERM under 500 requests per second', () => {
  it('neither resets a connection nor sends an incomplete response in 20 rounds, and exits with 0', async () => {
    const results: { code: number | null; failures: string[] }[] = [];
    for (let round = 0; round < 10; round += 1)
      results.push(...(await Promise.all([shutDownUnderLoad(), shutDownUnderLoad()])));
    expect(results.map(({ failures }) => failures)).toEqual(results.map(() => []));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
  }, 900_000);
});

describe('SIGTERM under 500 requests per second from clients that never stop calling', () => {
  it('resets at most one connection a round and exits with 0', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { code, failures } = await shutDownUnderPersistentClients();
      expect(failures.filter((failure) => failure !== 'ECONNRESET')).toEqual([]);
      expect(failures.length).toBeLessThanOrEqual(1);
      expect(code).toBe(0);
    }
  }, 120_000);
});

/** Ten clients, fifty requests a second each, that ignore `Connection: close` and 503 until nothing listens. */
async function shutDownUnderPersistentClients(): Promise<{ code: number | null; failures: string[] }> {
  const sandbox = await startSandbox({ acceptUnknownTasks: true });
  const gateway = new GatewayProcess({
    ...gatewayEnvironment(sandbox),
    ...LONG_TIMEOUTS,
    TRTC_ENDPOINT: sandbox.httpUrl,
    SHUTDOWN_GRACE_MS: '4000',
  });
  const url = await gateway.url();
  const failures: string[] = [];
  let responses = 0;
  const agent = new http.Agent({ keepAlive: true });
  const client = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const interval = sleep(20);
      const response = await send(url, `/ingest-tasks/${name}-${n}`, { agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      if ('message' in response) {
        if (response.code === 'ECONNREFUSED') return;
        failures.push(response.code ?? response.message);
      } else if (isComplete(response)) responses += 1;
      else failures.push(`${response.status} ${response.text}`);
      await interval;
    }
  };
  const clients = Array.from({ length: 10 }, (_, name) => client(name));
  await eventually(() => responses >= 100 || failures.length > 0);
  gateway.kill('SIGTERM');
  const [{ code }] = await Promise.all([gateway.finished, ...clients]);
  agent.destroy();
  await sandbox.close();
  return { code, failures };
}

/** Fifty callers, ten calls a second each. A caller stops after a 503. */
async function shutDownUnderLoad(): Promise<{ code: number | null; failures: string[] }> {
  const sandbox = await startSandbox({ acceptUnknownTasks: true });
  const draining = new GatewayProcess({
    ...gatewayEnvironment(sandbox),
    ...LONG_TIMEOUTS,
    TRTC_ENDPOINT: sandbox.httpUrl,
    SHUTDOWN_GRACE_MS: '10000',
  });
  const url = await draining.url();
  const failures: string[] = [];
  let responses = 0;
  const agent = new http.Agent({ keepAlive: true });
  const caller = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const response = await send(url, `/ingest-tasks/${name}-${n}`, { agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      // Not instanceof: the errors of Node.js belong to another realm than the test.
      if ('message' in response) {
        // A rejected connection after the listener has closed loses no request.
        if (response.code !== 'ECONNREFUSED') failures.push(response.code ?? response.message);
        return;
      }
      responses += 1;
      if (!isComplete(response)) failures.push(`${response.status} ${response.text}`);
      if (response.status === 503) return;
      await sleep(100);
    }
  };
  const callers = Array.from({ length: 50 }, (_, name) => caller(name));
  await eventually(() => responses >= 100 || failures.length > 0);
  draining.kill('SIGTERM');
  const [{ code }] = await Promise.all([draining.finished, ...callers]);
  agent.destroy();
  await sandbox.close();
  return { code, failures };
}

function isComplete({ status, body }: HttpResponse): boolean {
  return [200, 429, 503].includes(status) && body !== undefined;
}
