import { parseArgs } from 'node:util';
import { killSubprocesses } from '../../test/support/process.js';
import { soak } from '../../test/support/soak.js';

process.once('exit', killSubprocesses);
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '180' }, rate: { type: 'string', default: '60' } },
});
const seconds = Number(values.seconds);
const callsPerSecond = Number(values.rate);
console.log(`${seconds} s of ${callsPerSecond} calls per second; half of all upstream attempts fail …\n`);
const report = await soak({ seconds, callsPerSecond });

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const rows: [string, string | number][] = [
  ['calls', report.calls],
  ...Object.entries(report.responses).map(([label, count]): [string, number] => [`… with ${label}`, count]),
  ['calls without a response (must be 0)', report.withoutResponse],
  ['incorrect outcomes (must be 0)', report.incorrectOutcomes.length],
  ['slowest response', `${Math.round(report.slowestMs)} ms`],
  ['upstream requests', report.upstreamRequests],
  ['most in any second (at most 20)', report.peakPerSecond],
  ['heap at start / end', `${mib(report.start.heapBytes)} / ${mib(report.end.heapBytes)}`],
  ['file descriptors at start / end', `${report.start.fileDescriptors} / ${report.end.fileDescriptors}`],
  ['exit code after SIGTERM', String(report.exitCode)],
];
console.log('| measurement | value |\n| --- | --- |');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
for (const each of report.incorrectOutcomes) console.log(`incorrect outcome: ${each}`);
const isPassed =
  report.withoutResponse === 0 &&
  report.incorrectOutcomes.length === 0 &&
  report.peakPerSecond <= 20 &&
  report.exitCode === 0;
process.exitCode = isPassed ? 0 : 1;
