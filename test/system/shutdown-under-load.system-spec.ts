import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, send } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { LONG_TIMEOUTS, variablesFor } from '../support/gateway.js';
import { GatewayProcess } from '../support/process.js';

// Alone on the machine: a process that gets no turn for half a second cannot see who comes to its door.
describe('SIGTERM under 500 requests per second', () => {
  it('shows no caller a reset or an empty answer, 20 times, and exits with 0', async () => {
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
  const cloud = await startSandbox({ acceptUnknownTasks: true });
  const gateway = new GatewayProcess({
    ...variablesFor(cloud),
    ...LONG_TIMEOUTS,
    TRTC_ENDPOINT: cloud.httpUrl,
    SHUTDOWN_GRACE_MS: '4000',
  });
  const url = await gateway.url();
  const failures: string[] = [];
  let responses = 0;
  const agent = new http.Agent({ keepAlive: true });
  const client = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const next = sleep(20);
      const response = await send(url, `/ingest-tasks/${name}-${n}`, { agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      if ('message' in response) {
        if (response.code === 'ECONNREFUSED') return;
        failures.push(response.code ?? response.message);
      } else if (isWhole(response)) responses += 1;
      else failures.push(`${response.status} ${response.text}`);
      await next;
    }
  };
  const clients = Array.from({ length: 10 }, (_, name) => client(name));
  await eventually(() => responses >= 100 || failures.length > 0);
  gateway.kill('SIGTERM');
  const [{ code }] = await Promise.all([gateway.finished, ...clients]);
  agent.destroy();
  await cloud.close();
  return { code, failures };
}

/** Fifty callers, ten calls a second each; one that is told to go elsewhere goes. */
async function shutDownUnderLoad(): Promise<{ code: number | null; failures: string[] }> {
  const cloud = await startSandbox({ acceptUnknownTasks: true });
  const draining = new GatewayProcess({
    ...variablesFor(cloud),
    ...LONG_TIMEOUTS,
    TRTC_ENDPOINT: cloud.httpUrl,
    SHUTDOWN_GRACE_MS: '10000',
  });
  const url = await draining.url();
  const failures: string[] = [];
  let answers = 0;
  const agent = new http.Agent({ keepAlive: true });
  const caller = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const response = await send(url, `/ingest-tasks/${name}-${n}`, { agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      // Not instanceof: errors of Node itself are of another realm than a test's.
      if ('message' in response) {
        // Whoever connects when the listener is gone is told so at once: nothing was lost.
        if (response.code !== 'ECONNREFUSED') failures.push(response.code ?? response.message);
        return;
      }
      answers += 1;
      if (!isWhole(response)) failures.push(`${response.status} ${response.text}`);
      if (response.status === 503) return;
      await sleep(100);
    }
  };
  const callers = Array.from({ length: 50 }, (_, name) => caller(name));
  await eventually(() => answers >= 100 || failures.length > 0);
  draining.kill('SIGTERM');
  const [{ code }] = await Promise.all([draining.finished, ...callers]);
  agent.destroy();
  await cloud.close();
  return { code, failures };
}

function isWhole({ status, body }: HttpResponse): boolean {
  return [200, 429, 503].includes(status) && body !== undefined;
}
