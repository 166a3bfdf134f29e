const OPEN_METRICS = /^application\/openmetrics-text$/i;
const TEXT = /^(text\/plain|text\/\*|\*\/\*)$/i;

type MediaRange = ReturnType<typeof parseMediaRange>;

/**
 * Whether an Accept header contains OpenMetrics 1.0.0 and does not prefer the text format. Unknown parameters are
 * ignored, because new releases of Prometheus send new ones.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-accept
 */
export function acceptsOpenMetrics(accept = ''): boolean {
  const ranges = accept.split(',').map(parseMediaRange);
  const best = (matches: (range: MediaRange) => boolean): number =>
    Math.max(0, ...ranges.filter(matches).map(({ quality }) => quality));
  const openMetrics = best(
    ({ type, parameters: { version = '1.0.0' } }) => OPEN_METRICS.test(type) && version === '1.0.0',
  );
  const textFormat = best(
    ({ type, parameters: { version = '0.0.4' } }) => TEXT.test(type) && version === '0.0.4',
  );
  return openMetrics > 0 && openMetrics >= textFormat;
}

function parseMediaRange(text: string) {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const pairs = rest.map((part) => part.split('='));
  const parameters = Object.fromEntries(
    pairs.map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim().replaceAll('"', '')]),
  ) as Record<string, string>;
  const quality = Number(parameters['q'] ?? 1);
  return { type, parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
