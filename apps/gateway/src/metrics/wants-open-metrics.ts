const OPEN_METRICS = /^application\/openmetrics-text$/i;
const TEXT = /^(text\/plain|text\/\*|\*\/\*)$/i;

interface Range {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

/**
 * Whether an Accept header asks for OpenMetrics 1.0.0 by name, and for nothing else that can be had more than for it.
 * Parameters that are not known are ignored, as Prometheus sends more of them with every release.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-accept
 */
export function wantsOpenMetrics(accept = ''): boolean {
  const ranges = accept.split(',').map(rangeOf);
  const best = (matches: (range: Range) => boolean): number =>
    Math.max(0, ...ranges.filter(matches).map(({ quality }) => quality));
  const open = best(
    ({ type, parameters: { version = '1.0.0' } }) => OPEN_METRICS.test(type) && version === '1.0.0',
  );
  const text = best(({ type, parameters: { version = '0.0.4' } }) => TEXT.test(type) && version === '0.0.4');
  return open > 0 && open >= text;
}

function rangeOf(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const pairs = rest.map((part) => part.split('='));
  const parameters = Object.fromEntries(
    pairs.map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim().replaceAll('"', '')]),
  ) as Record<string, string>;
  const quality = Number(parameters['q'] ?? 1);
  return { type, parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
