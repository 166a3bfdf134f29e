import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a busy machine, and shorter than a test may take: what never comes is named by its stack. */
const LIMIT_MS = 45_000;

/** Waits until a promise of the gateway's holds; how fast it does is not asked. */
export async function eventually(holds: () => boolean | Promise<boolean>, limitMs = LIMIT_MS): Promise<void> {
  const givenUpAt = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > givenUpAt) throw new Error('waited in vain');
    await sleep(20);
  }
}
