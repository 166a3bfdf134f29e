import { isDeepStrictEqual } from 'node:util';

/** What happened is not what the demo promises. */
export class Surprise extends Error {
  override readonly name = 'Surprise';
}

/** @throws Surprise that says what differed */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected))
    throw new Surprise(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}

/** @throws Surprise that says what is not so */
export function expectThat(what: string, holds: boolean): void {
  if (!holds) throw new Surprise(`not so: ${what}`);
}
