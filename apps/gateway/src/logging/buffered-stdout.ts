import { type DestinationStream, destination } from 'pino';

const STDOUT = 1;

/**
 * Stdout as a log destination that writes all lines of one event-loop turn at once, at the end of the turn: under a
 * flood a line costs a part of a write instead of a whole one. What is left when the process exits is written then.
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
