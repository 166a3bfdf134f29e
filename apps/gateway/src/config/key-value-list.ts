/**
 * Parses a list such as `name=value,other=its%20value`, the format of OpenTelemetry's variables.
 *
 * @returns undefined when the text is not such a list
 */
export function parseKeyValueList(text: string): [name: string, value: string][] | undefined {
  const pairs: [string, string][] = [];
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const separator = pair.indexOf('=');
    if (separator < 1) return undefined;
    try {
      pairs.push([pair.slice(0, separator).trim(), decodeURIComponent(pair.slice(separator + 1).trim())]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}
