/** @param share 0.5 for the median */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const index = (sorted.length - 1) * share;
  const below = Math.floor(index);
  const [low, high] = [sorted[below]!, sorted[Math.ceil(index)]!];
  return low + (high - low) * (index - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
