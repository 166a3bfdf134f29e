import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a busy machine, and shorter than a test may take: what never comes is named by its stack. */
const TIMEOUT_MS = 45_000;

/** Waits until a promise of the gateway's holds; how fast it does is not asked. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  limitMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await sleep(20);
  }
}
