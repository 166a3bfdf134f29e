import type { Figure, Target } from './row.js';
import { type Result, resultOf } from './result.js';
import { median } from './statistics.js';

/** A row that was measured, or the reason why it was not. */
export interface MeasuredRow {
  readonly row: string;
  readonly workload: string;
  readonly figures: readonly Figure[];
  readonly failure?: string;
}

const HEAD = [
  '| row | metric | gateway | baseline | ratio (min – max) | target | met |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];

/** The figures as a Markdown table. */
export function markdownTable(rows: readonly MeasuredRow[]): string {
  return [...HEAD, ...rows.flatMap(formatRow)].join('\n');
}

function formatRow({ row, figures, failure }: MeasuredRow): string[] {
  if (failure !== undefined) return [`| ${row} | ${failure.replaceAll(/[|\n]/g, ' ')} | | | | | |`];
  return figures.map((figure, index) => formatFigure(index === 0 ? row : '', figure));
}

function formatFigure(row: string, figure: Figure): string {
  const { metric, measured, baseline, comparison = 'ratio', target, note } = figure;
  const result = resultOf(figure);
  const cells = [
    row,
    note ? `${metric} (${note})` : metric,
    formatNumber(median(measured.values)),
    baseline ? `${formatNumber(median(baseline.values))} ${baseline.name}` : '',
    baseline
      ? `${comparison === 'ratio' ? '' : 'difference '}${formatNumber(result.value)} ${range(result)}`
      : '',
    target ? formatTarget(target) : 'reported',
    result.isMet === undefined ? '' : result.isMet ? 'yes' : '**no**',
  ];
  if (!baseline && result.min !== result.max) cells[4] = range(result);
  return `| ${cells.join(' | ')} |`;
}

function range({ min, max }: Result): string {
  return `(${formatNumber(min)} – ${formatNumber(max)})`;
}

function formatTarget({ atLeast, atMost }: Target): string {
  return [
    ...(atLeast === undefined ? [] : [`≥ ${atLeast}`]),
    ...(atMost === undefined ? [] : [`≤ ${atMost}`]),
  ].join(', ');
}

/** Three significant digits: the measurement is no more precise. */
export function formatNumber(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}
