import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls each side at a steady rate, the sides in turn, whether or not the previous calls have ended.
 *
 * @returns the results of each side: milliseconds
 */
export async function callAtRate<T = number>(
  sides: readonly (() => Promise<T>)[],
  { perSecond, count }: { perSecond: number; count: number },
): Promise<T[][]> {
  const calls: Promise<T>[][] = sides.map(() => []);
  const startedAt = performance.now();
  const intervalMs = 1000 / perSecond / sides.length;
  for (let n = 0; n < count * sides.length; n += 1) {
    await sleep(Math.max(0, startedAt + n * intervalMs - performance.now()));
    const index = n % sides.length;
    const call = sides[index]!();
    // Promise.all below reports a failure; until then it must not count as unhandled.
    call.catch(() => {});
    calls[index]!.push(call);
  }
  return Promise.all(calls.map((all) => Promise.all(all)));
}
