import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startSandbox } from '../apps/sandbox/src/sandbox.js';
import { type Answer, send } from './support/client.js';
import { eventually } from './support/eventually.js';
import { PATIENT, variablesFor } from './support/gateway.js';
import { GatewayProcess } from './support/process.js';

// Alone on the machine: a process that gets no turn for half a second cannot see who comes to its door.
describe('SIGTERM under 500 requests per second', () => {
  it('shows no caller a reset or an empty answer, 20 times, and exits with 0', async () => {
    const ends: { code: number | null; failures: string[] }[] = [];
    for (let round = 0; round < 10; round += 1)
      ends.push(...(await Promise.all([shutDownUnderLoad(), shutDownUnderLoad()])));
    expect(ends.map(({ failures }) => failures)).toEqual(ends.map(() => []));
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
  }, 900_000);
});

/** Fifty callers, ten calls a second each; one that is told to go elsewhere goes. */
async function shutDownUnderLoad(): Promise<{ code: number | null; failures: string[] }> {
  const cloud = await startSandbox({ acceptUnknownTasks: true });
  const leaving = new GatewayProcess({
    ...variablesFor(cloud),
    ...PATIENT,
    TRTC_ENDPOINT: cloud.httpUrl,
    SHUTDOWN_GRACE_MS: '10000',
  });
  const url = await leaving.url();
  const failures: string[] = [];
  let answers = 0;
  const agent = new http.Agent({ keepAlive: true });
  const caller = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const answer = await send(url, `/ingest-tasks/${name}-${n}`, { agent }).catch(
        (error: NodeJS.ErrnoException) => error,
      );
      // Not instanceof: errors of Node itself are of another realm than a test's.
      if ('message' in answer) {
        // Whoever connects when the listener is gone is told so at once: nothing was lost.
        if (answer.code !== 'ECONNREFUSED') failures.push(answer.code ?? answer.message);
        return;
      }
      answers += 1;
      if (!isWhole(answer)) failures.push(`${answer.status} ${answer.text}`);
      if (answer.status === 503) return;
      await sleep(100);
    }
  };
  const callers = Array.from({ length: 50 }, (_, name) => caller(name));
  await eventually(() => answers >= 100 || failures.length > 0);
  leaving.kill('SIGTERM');
  const [{ code }] = await Promise.all([leaving.finished, ...callers]);
  agent.destroy();
  await cloud.close();
  return { code, failures };
}

function isWhole({ status, body }: Answer): boolean {
  return [200, 429, 503].includes(status) && body !== undefined;
}
