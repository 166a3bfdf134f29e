import { cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { killSubprocesses } from '../../test/support/process.js';
import { publish } from './published-figures.js';
import { resultOf } from './result.js';
import { ROWS } from './rows.js';
import { versions } from './rows/versions.js';
import { markdownTable, type MeasuredRow } from './table.js';

process.once('exit', killSubprocesses);

const { values } = parseArgs({
  options: {
    row: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench.json' },
    readme: { type: 'boolean', default: false },
    // Instead of the rows: compares this build with the one in another checkout, which may be this one.
    against: { type: 'string' },
    'against-node-option': { type: 'string', multiple: true, default: [] },
  },
});
const unknown = (values.row ?? []).filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(`no such row: ${unknown.join(', ')}. Rows: ${ROWS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (values.readme && (values.row || values.against !== undefined)) {
  console.error('--readme needs all rows: omit --row and --against');
  process.exit(2);
}
const chosen =
  values.against === undefined
    ? ROWS.filter(({ name }) => !values.row || values.row.includes(name))
    : [
        versions({
          bundle: resolve(values.against, 'dist/gateway'),
          nodeArguments: values['against-node-option'],
        }),
      ];
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node.js ${process.version}, ${process.platform}`;
const startedAt = new Date();
console.error(`${machine}${values.quick ? ', quick: the figures are too rough to publish' : ''}`);

const measured: MeasuredRow[] = [];
for (const row of chosen) {
  const { name, workload } = row;
  console.error(`${name}: ${workload} …`);
  try {
    measured.push({ row: name, workload, figures: await row.measure({ quick: values.quick }) });
  } catch (error) {
    measured.push({ row: name, workload, figures: [], failure: `failed: ${String(error)}` });
  }
}
const table = markdownTable(measured);
console.log(table);
const rows = measured.map(({ figures, ...rest }) => ({
  ...rest,
  figures: figures.map((figure) => ({ ...figure, ...resultOf(figure) })),
}));
const report = { startedAt: startedAt.toISOString(), machine, quick: values.quick, rows };
writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
console.error(`JSON: ${values.json}`);
if (values.readme) {
  await publish(table, measured, `${startedAt.toISOString().slice(0, 10)}: ${machine}`);
  console.error('The figures are in docs/performance.md and README.md.');
}
process.exit(measured.some(({ failure }) => failure !== undefined) ? 1 : 0);
