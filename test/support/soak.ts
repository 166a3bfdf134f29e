import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../apps/sandbox/src/faults.js';
import { startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { send } from './client.js';
import { gatewayEnvironment } from './environment.js';
import { sumSeries } from './metrics.js';
import { GatewayProcess } from './process.js';

export interface SoakOptions {
  readonly seconds: number;
  readonly callsPerSecond: number;
}

/** The resources that a process holds. */
interface ResourceUsage {
  readonly heapBytes: number;
  readonly fileDescriptors: number;
}

export interface SoakReport {
  readonly calls: number;
  /** By status and code: `200 stopped`, `502 upstream-failed` … */
  readonly responses: Readonly<Record<string, number>>;
  readonly withoutResponse: number;
  readonly slowestMs: number;
  /** Calls whose response contradicts the state of the task. */
  readonly incorrectOutcomes: readonly string[];
  readonly upstreamRequests: number;
  readonly peakPerSecond: number;
  readonly start: ResourceUsage;
  readonly end: ResourceUsage;
  readonly exitCode: number | null;
}

interface CallResult {
  readonly taskId: string;
  readonly label: string;
  /** The state of the task according to the response. */
  readonly state: 'finished' | 'running' | 'unknown';
  readonly ms: number;
}

/** Long enough for every attempt, lost slot and connection to end. */
const IDLE_MS = 5000;

const VARIABLES = {
  UPSTREAM_ATTEMPT_TIMEOUT_MS: '1000',
  UPSTREAM_DEADLINE_MS: '4000',
  SHUTDOWN_GRACE_MS: '5000',
};

/** Each of ten rules applies to the attempts that the rules before it spared; together they fail half of all attempts. */
const PROBABILITY = 1 - 0.5 ** (1 / 10);

const rule = (fault: FaultRule['fault'], effect: FaultRule['effect'] = 'before'): FaultRule => ({
  fault,
  effect,
  times: 'always',
  probability: PROBABILITY,
});

/** No rule claims an outcome that did not happen. */
const MIXED_FAULTS: readonly FaultRule[] = [
  // Rare, because each one halves the slots for a while.
  { fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 'always', probability: 0.002 },
  rule({ kind: 'error', code: 'InternalError' }),
  rule({ kind: 'error', code: 'InternalError' }, 'after'),
  rule({ kind: 'error', code: 'ServiceUnavailable' }),
  rule({ kind: 'error', code: 'AuthFailure.SignatureFailure' }),
  rule({ kind: 'reset', at: 'before-headers' }),
  rule({ kind: 'reset', at: 'in-body' }, 'after'),
  rule({ kind: 'close', at: 'in-headers' }, 'after'),
  rule({ kind: 'status', status: 502 }, 'after'),
  rule({ kind: 'short-body' }),
  rule({ kind: 'no-response' }, 'after'),
];

/** Calls a gateway whose upstream fails half of all attempts, and compares each response with the state of the task. */
export async function soak({ seconds, callsPerSecond }: SoakOptions): Promise<SoakReport> {
  const sandbox = await startSandbox({ acceptUnknownTasks: true, faults: MIXED_FAULTS });
  sandbox.setDelays({ request: { minMs: 0, maxMs: 100 }, response: { minMs: 0, maxMs: 100 } });
  const gateway = new GatewayProcess(
    { ...gatewayEnvironment(sandbox), TRTC_ENDPOINT: sandbox.httpUrl, ...VARIABLES },
    ['--expose-gc'],
    'dist/gateway',
    { stderr: 'inherit' },
  );
  const url = await gateway.url();
  const agent = new http.Agent({ keepAlive: true });
  // The first calls load code that stays: the usage at the start is measured after them.
  await Promise.all(startCalls(url, agent, callsPerSecond, 'warm'));
  await sleep(IDLE_MS);
  const start = await resourceUsage(url);
  const results: (CallResult | undefined)[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const due = performance.now() + 1000;
    void Promise.all(startCalls(url, agent, callsPerSecond, `s${second}`)).then((all) =>
      results.push(...all),
    );
    await sleep(due - performance.now());
  }
  while (results.length < seconds * callsPerSecond) await sleep(100);
  agent.destroy();
  await sleep(IDLE_MS);
  const end = await resourceUsage(url);
  const { code: exitCode } = await gateway.stop('SIGTERM');
  const { stopCalls, peakPerSecond } = sandbox.state().statistics;
  const finished = new Set(
    sandbox.tasks().flatMap(({ taskId, status }) => (status === 'finished' ? taskId : [])),
  );
  await sandbox.close();
  const responses = results.filter((each) => each !== undefined);
  return {
    calls: results.length,
    responses: countBy(responses.map(({ label }) => label)),
    withoutResponse: results.length - responses.length,
    slowestMs: Math.max(...responses.map(({ ms }) => ms)),
    incorrectOutcomes: responses
      .filter(({ taskId, state }) => state !== 'unknown' && (state === 'finished') !== finished.has(taskId))
      .map(({ taskId, label }) => `${taskId}: ${label}`),
    upstreamRequests: stopCalls,
    peakPerSecond,
    start,
    end,
    exitCode,
  };
}

async function resourceUsage(url: string): Promise<ResourceUsage> {
  const { text } = await send(url, '/metrics', { method: 'GET' });
  return {
    heapBytes: sumSeries(text, 'nodejs_heap_size_used_bytes'),
    fileDescriptors: sumSeries(text, 'process_open_fds'),
  };
}

/** Calls spread over a second; undefined for a call without a response. */
function startCalls(
  url: string,
  agent: http.Agent,
  count: number,
  prefix: string,
): Promise<CallResult | undefined>[] {
  return Array.from({ length: count }, async (_, n) => {
    await sleep((n * 1000) / count);
    return call(url, agent, `${prefix}-${n}`).catch(() => undefined);
  });
}

async function call(url: string, agent: http.Agent, taskId: string): Promise<CallResult> {
  const startedAt = performance.now();
  const { text } = await send(url, `/ingest-tasks/${taskId}`, { agent });
  const ms = performance.now() - startedAt;
  const { status, code, outcome } = JSON.parse(text) as {
    status: string | number;
    code?: string;
    outcome?: string;
  };
  if (code === undefined) return { taskId, label: `200 ${status}`, state: 'finished', ms };
  return { taskId, label: `${status} ${code}`, state: outcome === 'unknown' ? 'unknown' : 'running', ms };
}

function countBy(labels: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of labels.toSorted()) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
