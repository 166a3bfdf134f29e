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
    const load = { clients: 50, intervalMs: 100, stopsAfter503: true, graceMs: 10_000 };
    for (let round = 0; round < 10; round += 1)
      results.push(...(await Promise.all([shutDownUnder(load), shutDownUnder(load)])));
    expect(results.map(({ failures }) => failures)).toEqual(results.map(() => []));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
  }, 900_000);
});

describe('SIGTERM under 500 requests per second from clients that never stop calling', () => {
  // Closing the listener resets the connections that the kernel still queues. Each client has at most one, and a process
  // with enough CPU time leaves at most one in all.
  it('resets at most one connection of each client and exits with 0', async () => {
    const load = { clients: 10, intervalMs: 20, stopsAfter503: false, graceMs: 4000 };
    for (let round = 0; round < 3; round += 1) {
      const { code, failures } = await shutDownUnder(load);
      expect(failures.filter((failure) => failure !== 'ECONNRESET')).toEqual([]);
      expect(failures.length).toBeLessThanOrEqual(load.clients);
      expect(code).toBe(0);
    }
  }, 120_000);
});

interface Load {
  readonly clients: number;
  /** Between two calls of a client. */
  readonly intervalMs: number;
  /** Whether a client ends after a 503 or a failure. Otherwise it calls until nothing listens. */
  readonly stopsAfter503: boolean;
  readonly graceMs: number;
}

async function shutDownUnder(load: Load): Promise<{ code: number | null; failures: string[] }> {
  const sandbox = await startSandbox({ acceptUnknownTasks: true });
  const gateway = new GatewayProcess({
    ...gatewayEnvironment(sandbox),
    ...LONG_TIMEOUTS,
    TRTC_ENDPOINT: sandbox.httpUrl,
    SHUTDOWN_GRACE_MS: String(load.graceMs),
  });
  const url = await gateway.url();
  const failures: string[] = [];
  let responses = 0;
  const agent = new http.Agent({ keepAlive: true });
  const client = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const interval = sleep(load.intervalMs);
      const response = await send(url, `/ingest-tasks/${name}-${n}`, { agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      // Not instanceof: the errors of Node.js belong to another realm than the test.
      if ('message' in response) {
        // A rejected connection after the listener has closed loses no request.
        if (response.code === 'ECONNREFUSED') return;
        failures.push(response.code ?? response.message);
        if (load.stopsAfter503) return;
      } else {
        responses += 1;
        if (!isComplete(response)) failures.push(`${response.status} ${response.text}`);
        if (load.stopsAfter503 && response.status === 503) return;
      }
      await interval;
    }
  };
  const clients = Array.from({ length: load.clients }, (_, name) => client(name));
  await eventually(() => responses >= 100 || failures.length > 0);
  gateway.kill('SIGTERM');
  const [{ code }] = await Promise.all([gateway.finished, ...clients]);
  agent.destroy();
  await sandbox.close();
  return { code, failures };
}

function isComplete({ status, body }: HttpResponse): boolean {
  return [200, 429, 503].includes(status) && body !== undefined;
}
