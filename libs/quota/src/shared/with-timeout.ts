import type { Clock } from '../clock.js';

/** The store did not do what was asked of it. */
export class SlotStoreError extends Error {
  override readonly name = 'SlotStoreError';

  /** @param reason in fixed words or the server's own code, such as `OOM`; never an address */
  constructor(readonly reason: string) {
    super(`the store failed: ${reason}`);
  }
}

/**
 * What the promise resolves to, if that is soon enough.
 *
 * @throws SlotStoreError when it takes longer than so many milliseconds
 */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  // When this process was held up itself, the answer may lie ready behind the timer: one more turn lets it in.
  let cancel = clock.setTimer(timeoutMs, () => {
    cancel = clock.setTimer(1, () => reject(new SlotStoreError('timeout')));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    cancel();
  }
}
