import { cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { intoReadme } from './readme.js';
import { ROWS } from './rows.js';
import { markdown, type Measured } from './table.js';
import { verdictOf } from './verdict.js';

const { values } = parseArgs({
  options: {
    row: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench.json' },
    readme: { type: 'boolean', default: false },
  },
});
const unknown = (values.row ?? []).filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(`no such row: ${unknown.join(', ')}. There are ${ROWS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const chosen = ROWS.filter(({ name }) => !values.row || values.row.includes(name));
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node.js ${process.version}, ${process.platform}`;
const startedAt = new Date();
console.error(`${machine}${values.quick ? ', quick: figures too rough to publish' : ''}`);

const measured: Measured[] = [];
for (const row of chosen) {
  const { name, work } = row;
  console.error(`${name}: ${work} …`);
  try {
    measured.push({ row: name, work, figures: await row.measure({ quick: values.quick }) });
  } catch (error) {
    // A row that fails is a row of the table, too.
    measured.push({ row: name, work, figures: [], failure: `failed: ${String(error)}` });
  }
}
const table = markdown(measured);
console.log(table);
const rows = measured.map(({ figures, ...rest }) => ({
  ...rest,
  figures: figures.map((figure) => ({ ...figure, ...verdictOf(figure) })),
}));
const report = { at: startedAt.toISOString(), machine, quick: values.quick, rows };
writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
console.error(`the same as JSON: ${values.json}`);
if (values.readme) {
  intoReadme(`${table}\n\nMeasured on ${startedAt.toISOString().slice(0, 10)}: ${machine}.`);
  console.error('README.md holds the table');
}
process.exit(measured.some(({ failure }) => failure !== undefined) ? 1 : 0);
