import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry } from './callers-file.js';
import { type HttpResponse, startStop, stopTask } from './client.js';
import { eventually } from './eventually.js';
import { gatewayEnvironment } from './environment.js';
import { readMetric } from './metrics.js';
import { GatewayProcess } from './process.js';
import { createTempFolder } from './temp-folder.js';

const KEYS = { studio: 'key-of-studio', rooms: 'key-of-rooms' };

/** The log of the gateway, and the responses to its callers. */
export interface ScenarioResult {
  readonly log: string;
  readonly entries: Record<string, unknown>[];
  readonly responses: Record<string, HttpResponse>;
  readonly sandbox: Sandbox;
}

/** Starts a gateway and sends calls that have every possible result. */
export async function runScenario(variables: Record<string, string> = {}): Promise<ScenarioResult> {
  const sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
  const folder = await createTempFolder();
  const file = join(folder.path, 'callers.json');
  await writeFile(file, JSON.stringify(Object.entries(KEYS).map(([name, key]) => callerEntry(name, key))));
  const environment = {
    ...gatewayEnvironment(sandbox),
    TRTC_ENDPOINT: sandbox.httpUrl,
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: file,
    QUOTA_PER_SECOND: '500',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '3000',
    SHUTDOWN_GRACE_MS: '3000',
    ...variables,
  };
  const gateway = new GatewayProcess(environment);
  try {
    const cancelledLog = await disconnectWhileQueued(sandbox, environment);
    sandbox.clearReceivedRequests();
    const responses = await sendRequests(await gateway.url(), sandbox, gateway);
    gateway.kill('SIGTERM');
    const { stdout } = await gateway.finished;
    const log = cancelledLog + stdout;
    const entries = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { log, entries, responses, sandbox };
  } finally {
    gateway.kill('SIGKILL');
    await sandbox.close();
    await folder.remove();
  }
}

/** Sends a call, disconnects when the condition holds, and waits until the gateway has logged the call. */
async function disconnectWhen(
  gateway: GatewayProcess,
  taskId: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const request = startStop(await gateway.url(), taskId, {
    ...bearerHeader(KEYS.studio),
    prefer: 'wait=30',
  });
  await eventually(condition);
  request.destroy();
  await eventually(() => gateway.stdout.includes(`"taskId":"${taskId}"`));
}

/** A client disconnects while its call waits for the only slot. The call that holds the slot gets no response. */
async function disconnectWhileQueued(sandbox: Sandbox, environment: Record<string, string>): Promise<string> {
  const singleSlotGateway = new GatewayProcess({
    ...environment,
    QUOTA_PER_SECOND: '1',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
  });
  try {
    sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 1 }]);
    const url = await singleSlotGateway.url();
    void stopTask(url, 'holds-the-slot', '', { ...bearerHeader(KEYS.studio), prefer: 'wait=30' }).catch(
      () => {},
    );
    await eventually(() => sandbox.receivedRequests().length === 1);
    await disconnectWhen(
      singleSlotGateway,
      'disconnected-early',
      async () => (await readMetric(url, 'ingest_gateway_quota_queue_length')) === 1,
    );
    return singleSlotGateway.stdout;
  } finally {
    singleSlotGateway.kill('SIGKILL');
    await singleSlotGateway.finished;
  }
}

async function sendRequests(
  url: string,
  sandbox: Sandbox,
  gateway: GatewayProcess,
): Promise<Record<string, HttpResponse>> {
  const as = (name: keyof typeof KEYS, taskId: string, id: string): Promise<HttpResponse> =>
    stopTask(url, taskId, '', { ...bearerHeader(KEYS[name]), 'x-request-id': id });
  const received = (taskId: string) => (): boolean =>
    sandbox.receivedRequests().some((request) => request.taskId === taskId);

  const plain = await as('studio', 'plain', 'plain-1');
  const fromCache = await as('rooms', 'plain', 'plain-2');
  sandbox.setFaults([
    { fault: { kind: 'error', code: 'FailedOperation.TaskFinished' }, times: 1, taskId: 'ended' },
    { fault: { kind: 'error', code: 'InvalidParameter.TaskId' }, times: 1, taskId: 'unknown-task' },
    { fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'retried' },
    { fault: { kind: 'no-response' }, times: 1, taskId: 'lost-response', effect: 'after' },
    { fault: { kind: 'no-response' }, times: 'always', taskId: 'no-response' },
    { fault: { kind: 'status', status: 500 }, times: 'always', taskId: 'broken' },
    { fault: { kind: 'slow', ms: 2500 }, times: 1, taskId: 'together' },
    { fault: { kind: 'slow', ms: 2500 }, times: 1, taskId: 'disconnected-late' },
  ]);
  const ended = await as('studio', 'ended', 'ended-1');
  const unknownTask = await as('studio', 'unknown-task', 'unknown-task-1');
  const retried = await as('studio', 'retried', 'retried-1');
  const lostResponse = await as('studio', 'lost-response', 'lost-response-1');
  const timedOut = await as('studio', 'no-response', 'no-response-1');
  const first = as('studio', 'together', 'together-1');
  await eventually(received('together'));
  const joined = await as('rooms', 'together', 'together-2');
  await disconnectWhen(gateway, 'disconnected-late', received('disconnected-late'));
  const malformed = await stopTask(url, 'plain', '?sdkAppId=0', bearerHeader(KEYS.studio));
  const unauthenticated = await stopTask(url, 'plain', '', bearerHeader('unknown-key'));
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const traced = await stopTask(url, 'traced', '', { ...bearerHeader(KEYS.studio), traceparent });
  const broken = await as('studio', 'broken', 'broken-1');
  const together = await first;
  return {
    plain,
    fromCache,
    ended,
    unknownTask,
    retried,
    lostResponse,
    timedOut,
    together,
    joined,
    malformed,
    unauthenticated,
    traced,
    broken,
  };
}
