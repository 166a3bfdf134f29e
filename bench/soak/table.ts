export type Row = readonly [name: string, value: string | number];

export function printTable(rows: readonly Row[]): void {
  console.log('| measurement | value |\n| --- | --- |');
  for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
}
