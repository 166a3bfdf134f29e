import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Calls each side at a steady rate, the sides in turn, whether or not the calls before have ended.
 *
 * @returns what each side's calls came to: milliseconds
 */
export async function inTurn<T = number>(
  sides: readonly (() => Promise<T>)[],
  { perSecond, count }: { perSecond: number; count: number },
): Promise<T[][]> {
  const calls: Promise<T>[][] = sides.map(() => []);
  const startedAt = performance.now();
  const everyMs = 1000 / perSecond / sides.length;
  for (let n = 0; n < count * sides.length; n += 1) {
    await sleep(Math.max(0, startedAt + n * everyMs - performance.now()));
    const place = n % sides.length;
    const call = sides[place]!();
    // Whoever waits for all of them learns of a failure; until then it is nobody's.
    call.catch(() => {});
    calls[place]!.push(call);
  }
  return Promise.all(calls.map((all) => Promise.all(all)));
}
