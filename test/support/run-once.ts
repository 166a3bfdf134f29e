import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, stopTask } from './client.js';
import { startGateway } from './gateway.js';
import { readMetric } from './metrics.js';

/** What became of one call, seen from outside. */
export interface RunResult {
  readonly response: HttpResponse;
  readonly status: number;
  /** `stopped`, `already-finished`, or the problem's code. */
  readonly code: unknown;
  readonly outcome: unknown;
  /** Attempts that the gateway measured. */
  readonly attempts: number;
  /** Slots that it took. */
  readonly slots: number;
}

/**
 * Stops a task, or some one after the other, through a gateway of its own, so that no breaker, budget or slot is
 * shared with another case. The answer is the last one's, the counts are of all.
 */
export async function runOnce(
  sandbox: Sandbox,
  taskIds: string | string[],
  variables: Record<string, string> = {},
): Promise<RunResult> {
  const gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000', ...variables });
  try {
    const responses: HttpResponse[] = [];
    for (const taskId of [taskIds].flat()) responses.push(await stopTask(gateway.url, taskId));
    const response = responses.at(-1)!;
    const { body = {} } = response;
    return {
      response,
      status: response.status,
      code: response.status === 200 ? body['status'] : body['code'],
      outcome: body['outcome'],
      attempts: await readMetric(gateway.url, 'tencentcloud_request_duration_seconds_count'),
      slots:
        (await readMetric(gateway.url, 'ingest_gateway_quota_decisions_total{decision="granted"}')) +
        (await readMetric(gateway.url, 'ingest_gateway_quota_decisions_total{decision="waited"}')),
    };
  } finally {
    await gateway.close();
  }
}

/** Runs jobs side by side, but not all at once. */
export async function runInParallel<T>(jobs: (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  const queue = [...jobs.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
