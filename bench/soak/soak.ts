import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { type Holdings, SoakedGateway } from './gateway.js';
import { MIXED_FAULTS } from './mixed-faults.js';

export interface SoakOptions {
  readonly seconds: number;
  readonly callsPerSecond: number;
}

export interface SoakReport {
  readonly calls: number;
  /** By status and code: `200 stopped`, `502 upstream-failed` … */
  readonly answers: Readonly<Record<string, number>>;
  readonly withoutAnswer: number;
  readonly slowestMs: number;
  /** Calls that were told what is not so. */
  readonly lies: readonly string[];
  readonly arrivals: number;
  readonly peakPerSecond: number;
  readonly start: Holdings;
  readonly end: Holdings;
  readonly exitCode: number | null;
}

interface Told {
  readonly taskId: string;
  readonly label: string;
  readonly claim: 'finished' | 'running' | 'unknown';
  readonly ms: number;
}

/** Long enough for every attempt, lost slot and connection to come to rest. */
const REST_MS = 5000;

const VARIABLES = {
  UPSTREAM_ATTEMPT_TIMEOUT_MS: '1000',
  UPSTREAM_DEADLINE_MS: '4000',
  SHUTDOWN_GRACE_MS: '5000',
};

/** Floods a gateway whose cloud fails half of all attempts, and holds what it told its callers against the truth. */
export async function soak({ seconds, callsPerSecond }: SoakOptions): Promise<SoakReport> {
  const sandbox = await startSandbox({ acceptUnknownTasks: true, faults: MIXED_FAULTS });
  sandbox.setDelays({ request: { minMs: 0, maxMs: 100 }, response: { minMs: 0, maxMs: 100 } });
  const gateway = await SoakedGateway.start(sandbox, VARIABLES);
  const agent = new http.Agent({ keepAlive: true });
  // A warm process is the fair start: what the first calls load stays.
  await Promise.all(calls(gateway.url, agent, callsPerSecond, 'warm'));
  await sleep(REST_MS);
  const start = await gateway.holdings();
  const told: (Told | undefined)[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const due = performance.now() + 1000;
    void Promise.all(calls(gateway.url, agent, callsPerSecond, `s${second}`)).then((all) =>
      told.push(...all),
    );
    await sleep(due - performance.now());
  }
  while (told.length < seconds * callsPerSecond) await sleep(100);
  agent.destroy();
  await sleep(REST_MS);
  const end = await gateway.holdings();
  const exitCode = await gateway.stop();
  const { stopCalls: arrivals, peakPerSecond } = sandbox.state().statistics;
  const finished = new Set(
    sandbox.tasks().flatMap(({ taskId, status }) => (status === 'finished' ? taskId : [])),
  );
  await sandbox.close();
  const answered = told.filter((each) => each !== undefined);
  return {
    calls: told.length,
    answers: countBy(answered.map(({ label }) => label)),
    withoutAnswer: told.length - answered.length,
    slowestMs: Math.max(...answered.map(({ ms }) => ms)),
    lies: answered.filter((each) => isLie(each, finished)).map(({ taskId, label }) => `${taskId}: ${label}`),
    arrivals,
    peakPerSecond,
    start,
    end,
    exitCode,
  };
}

function isLie({ taskId, claim }: Told, finished: ReadonlySet<string>): boolean {
  return claim !== 'unknown' && (claim === 'finished') !== finished.has(taskId);
}

/** Calls spread over a second; undefined stands for one that got no answer. */
function calls(url: string, agent: http.Agent, count: number, name: string): Promise<Told | undefined>[] {
  return Array.from({ length: count }, async (_, n) => {
    await sleep((n * 1000) / count);
    return call(url, agent, `${name}-${n}`).catch(() => undefined);
  });
}

async function call(url: string, agent: http.Agent, taskId: string): Promise<Told> {
  const startedAt = performance.now();
  const text = await new Promise<string>((resolve, reject) => {
    const request = http.request(`${url}/ingest-tasks/${taskId}`, { method: 'DELETE', agent }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => resolve(body));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
  const { status, code, outcome } = JSON.parse(text) as {
    status: string | number;
    code?: string;
    outcome?: string;
  };
  const ms = performance.now() - startedAt;
  if (code === undefined) return { taskId, label: `200 ${status}`, claim: 'finished', ms };
  return { taskId, label: `${status} ${code}`, claim: outcome === 'unknown' ? 'unknown' : 'running', ms };
}

function countBy(labels: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of labels.toSorted()) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
