import { soak } from '../../test/support/soak.js';
import { printTable, type Row } from './table.js';

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** Calls one gateway while half of all upstream attempts fail. @returns whether every check passed */
export async function soakWithMixedFaults(seconds: number, callsPerSecond: number): Promise<boolean> {
  console.log(`${seconds} s of ${callsPerSecond} calls per second; half of all upstream attempts fail …\n`);
  const report = await soak({ seconds, callsPerSecond });
  const rows: Row[] = [
    ['calls', report.calls],
    ...Object.entries(report.responses).map(([label, count]): Row => [`… with ${label}`, count]),
    ['calls without a response (must be 0)', report.withoutResponse],
    ['incorrect outcomes (must be 0)', report.incorrectOutcomes.length],
    ['slowest response', `${Math.round(report.slowestMs)} ms`],
    ['upstream requests', report.upstreamRequests],
    ['most in any second (at most 20)', report.peakPerSecond],
    ['heap at start / end', `${mib(report.start.heapBytes)} / ${mib(report.end.heapBytes)}`],
    ['file descriptors at start / end', `${report.start.fileDescriptors} / ${report.end.fileDescriptors}`],
    ['exit code after SIGTERM', String(report.exitCode)],
  ];
  printTable(rows);
  for (const each of report.incorrectOutcomes) console.log(`incorrect outcome: ${each}`);
  return (
    report.withoutResponse === 0 &&
    report.incorrectOutcomes.length === 0 &&
    report.peakPerSecond <= 20 &&
    report.exitCode === 0
  );
}
