/** Spearman's rank correlation: how far one quantity grows with the other, whatever the shape of either; -1 to 1. */
export function rankCorrelation(pairs: readonly (readonly [number, number])[]): number {
  const x = ranks(pairs.map(([first]) => first));
  const y = ranks(pairs.map(([, second]) => second));
  const mean = (pairs.length - 1) / 2;
  const covariance = (a: number[], b: number[]): number =>
    a.reduce((sum, value, at) => sum + (value - mean) * (b[at]! - mean), 0);
  return covariance(x, y) / Math.sqrt(covariance(x, x) * covariance(y, y));
}

/** The place of each value among all, from 0; equal ones share the middle of theirs. */
function ranks(values: number[]): number[] {
  const sorted = values.map((value, at) => [value, at] as const).toSorted(([a], [b]) => a - b);
  const result = Array.from<number>({ length: values.length });
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (to < sorted.length && sorted[to]![0] === sorted[from]![0]) to += 1;
    for (let at = from; at < to; at += 1) result[sorted[at]![1]] = (from + to - 1) / 2;
    from = to;
  }
  return result;
}
