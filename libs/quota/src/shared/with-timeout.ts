import type { Clock } from '../clock.js';
import { SlotStoreError } from './slot-store.js';

/**
 * Resolves to the result of the promise.
 *
 * @throws SlotStoreError if it takes longer than `timeoutMs` milliseconds
 */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  // If this process was blocked, the response may be queued behind the timer: the second timer lets it arrive.
  let cancel = clock.setTimer(timeoutMs, () => {
    cancel = clock.setTimer(1, () => reject(new SlotStoreError('timeout')));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    cancel();
  }
}
