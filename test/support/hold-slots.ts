import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, stopTask } from './client.js';
import { eventually } from './eventually.js';

/** Long enough for a test to act before a slot frees, even on a busy machine. */
const RESPONSE_DELAY_MS = 5000;

/**
 * Stops these tasks with delayed responses of the sandbox, so that each call holds a slot. Returns when the sandbox has
 * received all calls. Replaces the faults of the sandbox. The attempt timeout of the gateway must exceed the delay.
 *
 * @returns the pending responses
 */
export async function holdSlots(
  sandbox: Sandbox,
  url: string,
  tasks: readonly string[],
  responseDelayMs = RESPONSE_DELAY_MS,
): Promise<{ responses: Promise<HttpResponse[]> }> {
  sandbox.setFaults(
    tasks.map((taskId) => ({ fault: { kind: 'slow', ms: responseDelayMs }, times: 1, taskId })),
  );
  const responses = Promise.all(tasks.map((taskId) => stopTask(url, taskId, '', { prefer: 'wait=30' })));
  // A test that kills the gateway may ignore the responses; a test that awaits them still sees the failure.
  responses.catch(() => {});
  await eventually(() => {
    const received = new Set(sandbox.receivedRequests().map(({ taskId }) => taskId));
    return tasks.every((taskId) => received.has(taskId));
  });
  return { responses };
}
