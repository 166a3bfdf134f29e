import type { Figure } from './row.js';
import { median } from './statistics.js';

/** The result of a figure over all rounds. */
export interface Result {
  /** The median over the rounds of what the target applies to: a ratio, a difference, or the value itself. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** Undefined without a target. */
  readonly isMet: boolean | undefined;
}

/** Compares the two series round by round, because the two values of a round were measured next to each other. */
export function resultOf({ measured, baseline, comparison = 'ratio', target }: Figure): Result {
  const rounds = measured.values.map((value, round) => {
    if (!baseline) return value;
    const other = baseline.values[round] ?? NaN;
    return comparison === 'ratio' ? value / other : value - other;
  });
  const value = median(rounds);
  const { atLeast = -Infinity, atMost = Infinity } = target ?? {};
  return {
    value,
    min: Math.min(...rounds),
    max: Math.max(...rounds),
    isMet: target && value >= atLeast && value <= atMost,
  };
}
