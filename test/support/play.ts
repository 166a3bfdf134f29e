import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { type Answer, stop } from './client.js';
import { startGateway } from './gateway.js';
import { readMetric } from './metrics.js';

/** What became of one call, seen from outside. */
export interface Played {
  readonly answer: Answer;
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
export async function play(
  sandbox: Sandbox,
  taskIds: string | string[],
  variables: Record<string, string> = {},
): Promise<Played> {
  const gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000', ...variables });
  try {
    const answers: Answer[] = [];
    for (const taskId of [taskIds].flat()) answers.push(await stop(gateway.url, taskId));
    const answer = answers.at(-1)!;
    const { body = {} } = answer;
    return {
      answer,
      status: answer.status,
      code: answer.status === 200 ? body['status'] : body['code'],
      outcome: body['outcome'],
      attempts: await readMetric(gateway.url, 'tencentcloud_request_duration_seconds_count'),
      slots:
        (await readMetric(gateway.url, 'quota_decisions_total{decision="granted"}')) +
        (await readMetric(gateway.url, 'quota_decisions_total{decision="waited"}')),
    };
  } finally {
    await gateway.close();
  }
}

/** Runs jobs side by side, but not all at once. */
export async function inParallel<T>(jobs: (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  const queue = [...jobs.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
