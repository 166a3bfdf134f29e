import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, stopTask } from './client.js';
import { eventually } from './eventually.js';

/** Longer than any stall of a busy machine: what a test does while the slots are taken is done before they free. */
const RESPONSE_DELAY_MS = 5000;

/**
 * Takes a slot for each of these tasks and keeps it, by calls that the cloud answers late; returns when all of them
 * have arrived there. The faults of the sandbox are replaced. The gateway must be patient with its attempts.
 *
 * @returns the answers to come
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
  // A gateway that is killed meanwhile owes no answer; whoever wants them sees the failure.
  responses.catch(() => {});
  await eventually(() => {
    const arrived = new Set(sandbox.receivedRequests().map(({ taskId }) => taskId));
    return tasks.every((taskId) => arrived.has(taskId));
  });
  return { responses };
}
