import { constants } from 'node:os';
import { styleText } from 'node:util';
import { type Environment, startEnvironment } from './environment.js';
import { keepRunning, runScenario } from './scenario.js';

const PARENT_POLL_INTERVAL_MS = 250;

const interruption = new AbortController();
let environment: Environment | undefined;

/** Ends the demo with the exit code that a shell reports for the signal. */
function interrupt(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE'): void {
  process.exitCode ??= 128 + constants.signals[signal];
  interruption.abort();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
process.stdout.on('error', () => interrupt('SIGPIPE'));
// npm passes a signal to its shell, and not every shell passes it on.
const parent = process.ppid;
setInterval(() => process.ppid === parent || interrupt('SIGHUP'), PARENT_POLL_INTERVAL_MS).unref();

try {
  const options = process.argv.slice(2);
  const unknown = options.find((option) => option !== '--keep');
  if (unknown) throw new Error(`unknown option ${unknown}; the only option is --keep`);
  environment = await startEnvironment(interruption.signal);
  await runScenario(environment);
  if (options.length > 0) await keepRunning(environment);
} catch (error) {
  if (!interruption.signal.aborted) {
    process.stdout.write(`${styleText('red', `✗ ${(error as Error).message}`)}\n`);
    process.exitCode = 1;
  }
} finally {
  await environment?.stop();
}
process.exit();
