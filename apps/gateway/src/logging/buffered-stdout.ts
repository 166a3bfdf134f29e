import { type DestinationStream, destination } from 'pino';

const STDOUT = 1;

/**
 * Creates a log destination that writes all lines of one event-loop turn to stdout in one write, at the end of the turn,
 * so that a write under load is shared by many lines. On exit, the remaining lines are written.
 */
export function bufferedStdout(): DestinationStream & { flushSync(): void } {
  const stdout = destination({ dest: STDOUT, sync: true });
  let lines = '';
  const flushSync = (): void => {
    if (lines === '') return;
    const written = lines;
    lines = '';
    stdout.write(written);
  };
  process.on('exit', flushSync);
  return {
    write(line: string): void {
      if (lines === '') setImmediate(flushSync);
      lines += line;
    },
    flushSync,
  };
}
