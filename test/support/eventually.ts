import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a busy machine, and shorter than the timeout of a test, so that the error has the stack of the caller. */
const TIMEOUT_MS = 45_000;

/** Polls until the condition holds. @throws Error at the end of the time limit */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`the condition did not hold within ${timeoutMs} ms`);
    await sleep(20);
  }
}
