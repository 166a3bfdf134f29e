import type { Figure, Target } from './row.js';
import { median } from './statistics.js';
import { type Verdict, verdictOf } from './verdict.js';

/** A row that was measured, or could not be. */
export interface Measured {
  readonly row: string;
  readonly work: string;
  readonly figures: readonly Figure[];
  /** Why it could not be measured. */
  readonly failure?: string;
}

const HEAD = [
  '| row | measured | gateway | against | ratio (lowest – highest) | target | met |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];

/** The figures as a Markdown table, the ones that miss their target included. */
export function markdown(rows: readonly Measured[]): string {
  return [...HEAD, ...rows.flatMap(lines)].join('\n');
}

function lines({ row, figures, failure }: Measured): string[] {
  if (failure !== undefined) return [`| ${row} | ${failure.replaceAll(/[|\n]/g, ' ')} | | | | | |`];
  return figures.map((figure, place) => line(place === 0 ? row : '', figure));
}

function line(row: string, figure: Figure): string {
  const { what, ours, theirs, compared = 'ratio', target, note } = figure;
  const verdict = verdictOf(figure);
  const cells = [
    row,
    note ? `${what} (${note})` : what,
    number(median(ours.values)),
    theirs ? `${number(median(theirs.values))} ${theirs.name}` : '',
    theirs ? `${compared === 'ratio' ? '' : 'difference '}${spread(verdict)}` : spreadAlone(verdict),
    target ? written(target) : 'reported',
    verdict.met === undefined ? '' : verdict.met ? 'yes' : '**no**',
  ];
  return `| ${cells.join(' | ')} |`;
}

function spread({ value, lowest, highest }: Verdict): string {
  return `${number(value)} (${number(lowest)} – ${number(highest)})`;
}

function spreadAlone({ lowest, highest }: Verdict): string {
  return lowest === highest ? '' : `(${number(lowest)} – ${number(highest)})`;
}

function written({ atLeast, atMost }: Target): string {
  return [
    ...(atLeast === undefined ? [] : [`≥ ${atLeast}`]),
    ...(atMost === undefined ? [] : [`≤ ${atMost}`]),
  ].join(', ');
}

/** Three digits say all that a benchmark knows. */
function number(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}
