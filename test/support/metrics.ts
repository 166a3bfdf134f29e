import { send } from './client.js';

/**
 * Scrapes a gateway and adds up the series that a selector matches: `name`, or `name{label="value"}`. A series may have
 * more labels than the selector.
 *
 * @throws Error when no series matches
 */
export async function readMetric(url: string, selector: string): Promise<number> {
  const { text } = await send(url, '/metrics', { method: 'GET' });
  return sumSeries(text, selector);
}

/** The same for metrics that have been scraped already. */
export function sumSeries(text: string, selector: string): number {
  const [name, labels] = parseSeries(selector);
  const values = text.split('\n').flatMap((line) => {
    const end = line.lastIndexOf(' ');
    const [ownName, ownLabels] = parseSeries(line.slice(0, end));
    const isMatch = ownName === name && labels.every((label) => ownLabels.includes(label));
    return isMatch ? [Number(line.slice(end + 1).replace('+Inf', 'Infinity'))] : [];
  });
  if (values.length === 0) throw new Error(`no series matches ${selector}`);
  return values.reduce((sum, value) => sum + value, 0);
}

function parseSeries(series: string): [name: string, labels: string[]] {
  const [name = '', labels = ''] = series.split(/\{(.*)\}/);
  return [name, Array.from(labels.matchAll(/\w+="[^"]*"/g), ([label]) => label)];
}
