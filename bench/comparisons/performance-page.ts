import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = 'docs/performance.md';
const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/** Replaces the text between the markers of docs/performance.md. */
export function writeToPerformancePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no ${BEGIN} … ${END}`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`);
}
