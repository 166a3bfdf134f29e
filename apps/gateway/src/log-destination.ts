import { type DestinationStream, destination } from 'pino';

const STDOUT = 1;

/**
 * Where log lines go: all those of one turn of the event loop in one write at its end, so that under a flood a line
 * costs a part of a write and not a whole one (8 of 128 µs of a refusal). A line is never kept beyond its turn, and
 * what is left when the process exits is written then.
 */
export function logDestination(): DestinationStream & { flushSync(): void } {
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
