/**
 * Reads a list such as `name=value,other=its%20value`, as OpenTelemetry's variables have them.
 *
 * @returns undefined when it is none
 */
export function pairsOf(text: string): [name: string, value: string][] | undefined {
  const pairs: [string, string][] = [];
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const at = pair.indexOf('=');
    if (at < 1) return undefined;
    try {
      pairs.push([pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}
