import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 25;
const LIMIT_MS = 30_000;

/**
 * Asks again and again until the answer is yes; an attempt that fails counts as no.
 *
 * @param what is waited for, for the message when it never comes
 * @throws the signal's reason when it is aborted meanwhile
 */
export async function until(what: string, ask: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const givenUpAt = performance.now() + LIMIT_MS;
  for (;;) {
    const yes = await ask().catch(() => false);
    signal.throwIfAborted();
    if (yes) return;
    if (performance.now() > givenUpAt) throw new Error(`waited ${LIMIT_MS / 1000} s in vain: ${what}`);
    await sleep(EVERY_MS);
  }
}
