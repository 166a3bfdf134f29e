import { type CrashReport, runCrashScenario } from '../../test/support/crash-scenario.js';
import { printTable } from './table.js';

const OUTAGE_MS = 20_000;

/**
 * Runs the scenario of crashes with asynchronous stops again and again, until the time is over.
 *
 * @returns whether every check passed
 */
export async function soakWithCrashes(seconds: number, stops: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  const reports: CrashReport[] = [];
  while (performance.now() < deadline) {
    const report = await runCrashScenario({ stops, outageMs: OUTAGE_MS });
    reports.push(report);
    console.log(`run ${reports.length}: ${JSON.stringify(report)}`);
  }
  const sum = (value: (report: CrashReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0);
  const resultCount = (name: string): number => sum(({ results }) => results[name] ?? 0);
  const unexpected =
    sum(({ results }) => Object.values(results).reduce((a, b) => a + b, 0)) - resultCount('stopped');
  const running = sum((report) => report.running);
  const peakPerSecond = Math.max(...reports.map((report) => report.peakPerSecond));
  const exits = reports.flatMap(({ unexpectedExits }) => unexpectedExits);
  console.log();
  printTable([
    ['runs', reports.length],
    ['replicas killed', sum(({ kills }) => kills)],
    ['crashes of Redis', 2 * reports.length],
    ['seconds without the cloud', (reports.length * OUTAGE_MS) / 1000],
    ['stops accepted', sum(({ accepted }) => accepted)],
    ['… reported as stopped', resultCount('stopped')],
    [
      '… accepted again, because a response was lost, after the first had finished',
      sum(({ repeated }) => repeated),
    ],
    ['… lost (must be 0)', resultCount('lost')],
    ['… reported in another way (must be 0)', unexpected - resultCount('lost')],
    ['synchronous, because Redis was down', sum(({ synchronous }) => synchronous)],
    ['tasks that still run (must be 0)', running],
    ['most in any second (at most 20)', peakPerSecond],
    ['unexpected exits (must be 0)', exits.length],
  ]);
  for (const each of exits) console.log(`unexpected exit: ${each}`);
  return unexpected === 0 && running === 0 && peakPerSecond <= 20 && exits.length === 0;
}
