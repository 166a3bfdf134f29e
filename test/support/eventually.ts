import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a promise of the gateway's holds, for as long as the test may take: how fast is not asked. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
