import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import type { Figure } from './row.js';
import { formatNumber, type MeasuredRow } from './table.js';
import { median } from './statistics.js';

const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/** Writes the table to docs/performance.md, and the figures that matter to users to README.md. */
export async function publish(
  table: string,
  rows: readonly MeasuredRow[],
  measuredOn: string,
): Promise<void> {
  // Before the first file changes: it throws if a row is missing.
  const summary = summarize(rows, measuredOn);
  await replaceMarkedText('docs/performance.md', `${table}\n\nMeasured on ${measuredOn}.`);
  await replaceMarkedText('README.md', summary);
}

function summarize(rows: readonly MeasuredRow[], measuredOn: string): string {
  const find = (row: string, metric: string, subject = 'gateway'): Figure => {
    const figures = rows.find((each) => each.row === row)?.figures ?? [];
    const figure = figures.find((each) => each.metric === metric && each.measured.name === subject);
    if (!figure)
      throw new Error(`the row ${row} has no figure: README.md and docs/performance.md are unchanged`);
    return figure;
  };
  const added = find('latency', 'added p50 over axios directly, ms');
  const cpu = find('flood', 'processor time for one 429, µs');
  const cpuRedis = find('flood', 'processor time for one 429, µs', 'gateway with slots in Redis');
  const startMs = find('start', 'start to ready, ms');
  const memory = find('start', 'idle resident memory, MiB');
  return [
    `- At 15 calls a second, the gateway adds ${measuredValue(added)} ms to a call at the median. A gateway that is written in an afternoon (Express, @nestjs/throttler, axios) adds ${baselineValue(added)} ms.`,
    `- A 429 takes ${measuredValue(cpu)} µs of processor time, and ${measuredValue(cpuRedis)} µs with slots in Redis. In that other gateway it takes ${baselineValue(cpu)} µs.`,
    `- A process is ready ${measuredValue(startMs)} ms after its start and uses ${measuredValue(memory)} MiB of memory when idle.`,
    '',
    `Measured on ${measuredOn}. [docs/performance.md](docs/performance.md) has the whole table.`,
  ].join('\n');
}

function measuredValue({ measured }: Figure): string {
  return formatNumber(median(measured.values));
}

function baselineValue({ baseline }: Figure): string {
  return formatNumber(median(baseline!.values));
}

/** Replaces the text between the markers of a page. */
async function replaceMarkedText(path: string, text: string): Promise<void> {
  const page = readFileSync(path, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${path} has no ${BEGIN} … ${END}`);
  const changed = `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`;
  writeFileSync(path, await format(changed, { ...(await resolveConfig(path)), filepath: path }));
}
