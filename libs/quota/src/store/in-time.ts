import type { Clock } from '../clock.js';

/** The store did not do what was asked of it. */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed';

  /** @param reason in fixed words or the server's own code, such as `OOM`; never an address */
  constructor(readonly reason: string) {
    super(`the store failed: ${reason}`);
  }
}

/**
 * What the promise resolves to, if that is soon enough.
 *
 * @throws StoreFailed when it takes longer than so many milliseconds
 */
export async function inTime<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  // When this process was held up itself, the answer may lie ready behind the timer: one more turn lets it in.
  let cancel = clock.wakeIn(ms, () => {
    cancel = clock.wakeIn(1, () => reject(new StoreFailed('timeout')));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}
