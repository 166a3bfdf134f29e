import { constants } from 'node:os';

/** Somebody wants the demo to end before its end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As a shell reports it: 128 and the signal's number. A reader that went away is SIGPIPE. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE') {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

const WATCH_PARENT_EVERY_MS = 250;

/** A signal that aborts on Ctrl-C, on the ways in which a system ends a process, and when nobody reads any more. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort(new Interrupted(signal)));
  process.stdout.on('error', () => interrupted.abort(new Interrupted('SIGPIPE')));
  // npm hands a signal to the shell that it started, and not every shell hands it on: it only ends.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) interrupted.abort(new Interrupted('SIGHUP'));
  }, WATCH_PARENT_EVERY_MS).unref();
  return interrupted.signal;
}
