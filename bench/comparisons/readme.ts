import { readFileSync, writeFileSync } from 'node:fs';

const README = 'README.md';
const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/** Replaces the text between the markers in the README. */
export function writeToReadme(text: string): void {
  const readme = readFileSync(README, 'utf8');
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${README} has no ${BEGIN} … ${END}`);
  writeFileSync(README, `${readme.slice(0, from + BEGIN.length)}\n\n${text}\n\n${readme.slice(to)}`);
}
