import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, stopTask } from './client.js';
import { eventually } from './eventually.js';

/** The time until a slot frees when a test does not call `release`. */
const RESPONSE_DELAY_MS = 20_000;

/**
 * Stops these tasks with delayed responses of the sandbox, so that each call holds a slot. Returns when the sandbox has
 * received all calls. Replaces the faults of the sandbox. The attempt timeout of the gateway must exceed the delay.
 *
 * @returns the pending responses, and `release`, which makes the sandbox send them
 */
export async function holdSlots(
  sandbox: Sandbox,
  url: string,
  tasks: readonly string[],
  responseDelayMs = RESPONSE_DELAY_MS,
): Promise<{ responses: Promise<HttpResponse[]>; release: () => void }> {
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
  return { responses, release: () => sandbox.releaseSlowResponses() };
}
