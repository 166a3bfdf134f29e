import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { bearer, caller, newFolder } from './callers-file.js';
import { type Answer, stop } from './client.js';
import { eventually } from './eventually.js';
import { variablesFor } from './environment.js';
import { readMetric } from './metrics.js';
import { GatewayProcess } from './process.js';

const KEYS = { studio: 'key-of-studio', rooms: 'key-of-rooms' };

/** What a gateway lived through: its log, and what its callers were told. */
export interface Story {
  readonly log: string;
  readonly lines: Record<string, unknown>[];
  readonly answers: Record<string, Answer>;
  readonly sandbox: Sandbox;
}

/** Every way in which a call to stop a task can come to its end, lived through by a gateway. */
export async function liveThrough(variables: Record<string, string> = {}): Promise<Story> {
  const sandbox = await startSandbox({ autoTasks: true, quotaPerSecond: 1000 });
  const folder = await newFolder();
  const file = join(folder.path, 'callers.json');
  await writeFile(file, JSON.stringify(Object.entries(KEYS).map(([name, key]) => caller(name, key))));
  const environment = {
    ...variablesFor(sandbox),
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
    const withdrawn = await leaveEarly(sandbox, environment);
    sandbox.clearArrivals();
    const answers = await play(await gateway.url(), sandbox, gateway);
    gateway.kill('SIGTERM');
    const { stdout } = await gateway.finished;
    const log = withdrawn + stdout;
    const lines = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { log, lines, answers, sandbox };
  } finally {
    gateway.kill('SIGKILL');
    await sandbox.close();
    await folder.remove();
  }
}

/** Sends a call, and hangs up when told; resolves when the gateway has logged it. */
async function leave(
  gateway: GatewayProcess,
  taskId: string,
  when: () => boolean | Promise<boolean>,
): Promise<void> {
  const request = http.request(`${await gateway.url()}/ingest-tasks/${taskId}`, {
    method: 'DELETE',
    headers: { ...bearer(KEYS.studio), prefer: 'wait=30' },
  });
  request.on('error', () => {}).end();
  await eventually(when);
  request.destroy();
  await eventually(() => gateway.stdout.includes(`"taskId":"${taskId}"`));
}

/** A caller leaves while its call waits for the only slot, which is held by one that is never answered. */
async function leaveEarly(sandbox: Sandbox, environment: Record<string, string>): Promise<string> {
  const narrow = new GatewayProcess({
    ...environment,
    QUOTA_PER_SECOND: '1',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
  });
  try {
    sandbox.setFaults([{ fault: { kind: 'never-answer' }, times: 1 }]);
    const url = await narrow.url();
    void stop(url, 'in-the-way', '', { ...bearer(KEYS.studio), prefer: 'wait=30' }).catch(() => {});
    await eventually(() => sandbox.arrivals().length === 1);
    await leave(narrow, 'left-early', async () => (await readMetric(url, 'quota_waiting')) === 1);
    return narrow.stdout;
  } finally {
    narrow.kill('SIGKILL');
    await narrow.finished;
  }
}

async function play(url: string, sandbox: Sandbox, gateway: GatewayProcess): Promise<Record<string, Answer>> {
  const as = (name: keyof typeof KEYS, taskId: string, id: string): Promise<Answer> =>
    stop(url, taskId, '', { ...bearer(KEYS[name]), 'x-request-id': id });
  const arrived = (taskId: string) => (): boolean =>
    sandbox.arrivals().some((seen) => seen.taskId === taskId);

  const plain = await as('studio', 'plain', 'plain-1');
  const remembered = await as('rooms', 'plain', 'plain-2');
  sandbox.setFaults([
    { fault: { kind: 'error', code: 'FailedOperation.TaskFinished' }, times: 1, taskId: 'ended' },
    { fault: { kind: 'error', code: 'InvalidParameter.TaskId' }, times: 1, taskId: 'nobodys' },
    { fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'repeated' },
    { fault: { kind: 'never-answer' }, times: 1, taskId: 'lost-answer', effect: 'after' },
    { fault: { kind: 'never-answer' }, times: 'always', taskId: 'silence' },
    { fault: { kind: 'status', status: 500 }, times: 'always', taskId: 'broken' },
    { fault: { kind: 'slow', ms: 2500 }, times: 1, taskId: 'together' },
    { fault: { kind: 'slow', ms: 2500 }, times: 1, taskId: 'left-late' },
  ]);
  const ended = await as('studio', 'ended', 'ended-1');
  const nobodys = await as('studio', 'nobodys', 'nobodys-1');
  const repeated = await as('studio', 'repeated', 'repeated-1');
  const lostAnswer = await as('studio', 'lost-answer', 'lost-answer-1');
  const silence = await as('studio', 'silence', 'silence-1');
  const first = as('studio', 'together', 'together-1');
  await eventually(arrived('together'));
  const joined = await as('rooms', 'together', 'together-2');
  await leave(gateway, 'left-late', arrived('left-late'));
  const malformed = await stop(url, 'plain', '?sdkAppId=0', bearer(KEYS.studio));
  const stranger = await stop(url, 'plain', '', bearer('nobodys-key'));
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const traced = await stop(url, 'traced', '', { ...bearer(KEYS.studio), traceparent });
  const broken = await as('studio', 'broken', 'broken-1');
  const together = await first;
  return {
    plain,
    remembered,
    ended,
    nobodys,
    repeated,
    lostAnswer,
    silence,
    together,
    joined,
    malformed,
    stranger,
    traced,
    broken,
  };
}
