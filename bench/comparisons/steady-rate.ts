import { setTimeout as sleep } from 'node:timers/promises';
import { callAtRate } from './call-at-rate.js';
import type { RowOptions } from './row.js';
import { quantile } from './statistics.js';

const CALLS_PER_SECOND = 15;
const ROUNDS = 7;
const CALLS_PER_ROUND = 150;

/** The number of calls after which V8 has optimised the code of a call, as in a process that serves for days. */
const WARM_UP_CALLS = 3000;

/** A way to make one call. @returns milliseconds */
export type Side = () => Promise<number>;

/**
 * Calls each side 3,000 times before the measurement, all sides at the same time. A side has a fixed number of calls in
 * flight, so that it is never overloaded.
 */
export async function warmUp(sides: readonly Side[], { quick }: RowOptions, inFlight = 1): Promise<void> {
  const workers = sides.flatMap((side) => Array.from({ length: inFlight }, () => side));
  await Promise.all(
    workers.map(async (side) => {
      for (let n = 0; n < (quick ? 200 : WARM_UP_CALLS) / inFlight; n += 1) await side();
    }),
  );
}

/** The calls of each side, in rounds. */
export class SteadyRateCalls {
  constructor(private readonly rounds: readonly (readonly number[][])[]) {}

  /** @returns the median of each round, in milliseconds */
  p50(side: number): number[] {
    return this.rounds.map((ms) => quantile(ms[side]!, 0.5));
  }

  /** @returns one value over the calls of all rounds, which a quantile of 0.99 needs, in milliseconds */
  p99(side: number): number[] {
    return [
      quantile(
        this.rounds.flatMap((ms) => ms[side]!),
        0.99,
      ),
    ];
  }
}

/** Calls each side 15 times a second, the sides in turn: 1,050 calls a side after 3,000 others. */
export async function callAtSteadyRate(
  sides: readonly Side[],
  options: RowOptions,
): Promise<SteadyRateCalls> {
  await warmUp(sides, options);
  // The slots of the warm-up are free again.
  await sleep(1500);
  const rounds: number[][][] = [];
  for (let round = 0; round < (options.quick ? 3 : ROUNDS); round += 1)
    rounds.push(
      await callAtRate(sides, {
        perSecond: CALLS_PER_SECOND,
        count: options.quick ? 50 : CALLS_PER_ROUND,
      }),
    );
  return new SteadyRateCalls(rounds);
}
