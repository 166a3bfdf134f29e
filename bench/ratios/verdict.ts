import type { Figure, Target } from './row.js';
import { median } from './statistics.js';

/** What the rounds of a figure come to. */
export interface Verdict {
  /** The median over the rounds of what is held against the target: a ratio, a difference or the value itself. */
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  /** Undefined where there is no target. */
  readonly met: boolean | undefined;
}

/** Holds each round's sides against each other, as they ran next to each other, and takes the median of that. */
export function verdictOf({ ours, theirs, compared = 'ratio', target }: Figure): Verdict {
  const rounds = ours.values.map((own, round) => {
    if (!theirs) return own;
    const other = theirs.values[round] ?? NaN;
    return compared === 'ratio' ? own / other : own - other;
  });
  const value = median(rounds);
  return {
    value,
    lowest: Math.min(...rounds),
    highest: Math.max(...rounds),
    met: target && meets(value, target),
  };
}

function meets(value: number, { atLeast = -Infinity, atMost = Infinity }: Target): boolean {
  return value >= atLeast && value <= atMost;
}
