import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, stopTask } from './client.js';
import { startGateway } from './gateway.js';
import { readMetric } from './metrics.js';

/** The result of one call, as a caller and the metrics show it. */
export interface RunResult {
  readonly response: HttpResponse;
  readonly status: number;
  /** `stopped`, `already-finished`, or a problem code. */
  readonly code: unknown;
  readonly outcome: unknown;
  /** The attempts that the gateway counted. */
  readonly attempts: number;
  /** The slots that it acquired. */
  readonly slots: number;
}

/**
 * Stops one or several tasks in sequence through a new gateway, so that tests share no circuit, retry budget or slot.
 *
 * @returns the last response, and the counts of all calls
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
