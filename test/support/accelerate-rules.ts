/**
 * The rules of docker/prometheus/rules, in time that passes sixty times as fast: what they look back on (`[5m]`) and
 * how long something must hold (`for: 5m`) are seconds instead of minutes. Thresholds and all else stay as they are.
 */
export function accelerateRules(rules: string): string {
  return rules.replaceAll(
    /(?<=\[|for: )(\d+)([mh])(?=\]|$)/gm,
    (_, n: string, unit: string) => `${Number(n) * (unit === 'h' ? 60 : 1)}s`,
  );
}
