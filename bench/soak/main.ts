import { parseArgs } from 'node:util';
import { soak } from './soak.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '180' }, rate: { type: 'string', default: '60' } },
});
const seconds = Number(values.seconds);
const callsPerSecond = Number(values.rate);
console.log(
  `${seconds} s of ${callsPerSecond} calls per second, every second attempt at the cloud struck by a fault …\n`,
);
const report = await soak({ seconds, callsPerSecond });

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const rows: [string, string | number][] = [
  ['calls', report.calls],
  ...Object.entries(report.answers).map(([label, count]): [string, number] => [`… answered ${label}`, count]),
  ['calls without an answer (must be 0)', report.withoutAnswer],
  ['calls told what is not so (must be 0)', report.lies.length],
  ['slowest answer', `${Math.round(report.slowestMs)} ms`],
  ['arrivals at the cloud', report.arrivals],
  ['most in any second (at most 20)', report.peakPerSecond],
  ['heap at start / end', `${mib(report.start.heapBytes)} / ${mib(report.end.heapBytes)}`],
  ['file descriptors at start / end', `${report.start.fileDescriptors} / ${report.end.fileDescriptors}`],
  ['exit code after SIGTERM', String(report.exitCode)],
];
console.log('| what | value |\n| --- | --- |');
for (const [what, value] of rows) console.log(`| ${what} | ${value} |`);
for (const lie of report.lies) console.log(`told what is not so: ${lie}`);
const well =
  report.withoutAnswer === 0 &&
  report.lies.length === 0 &&
  report.peakPerSecond <= 20 &&
  report.exitCode === 0;
process.exitCode = well ? 0 : 1;
