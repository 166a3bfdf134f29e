import { EventEmitter } from 'node:events';
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DestinationStream } from 'pino';

const STDOUT = 1;

/** Bytes that stdout has not accepted yet. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** A pipe without a free byte fails with EAGAIN. */
const FULL_PIPE_RETRY_MS = 10;
const ERROR_RETRY_MS = 1000;

const MAX_FLUSH_MS = 1000;
const FLUSH_POLL_MS = 5;

/**
 * A log destination that writes all lines of one event-loop turn to stdout in one write, at the end of the turn, so that
 * a write under load is shared by many lines. It never blocks and never fails: while stdout accepts nothing, for example
 * because its disk is full or its reader has stopped, it keeps at most 4 MiB, retries, and drops further lines.
 *
 * It emits `dropped` for each dropped line, and `recovered` with their number when everything that it kept is written.
 */
export class BufferedStdout
  extends EventEmitter<{ dropped: []; recovered: [droppedLines: number] }>
  implements DestinationStream
{
  readonly #target = openStdout();
  /** Lines after `#chunk`. */
  #text = '';
  /** The rest of the current write. */
  #chunk = Buffer.alloc(0);
  /** Of both. */
  #bytes = 0;
  /** Whether a write has started or will start. */
  #isWriting = false;
  #droppedLines = 0;

  /** @param format formats each line */
  constructor(private readonly format: (line: string) => string) {
    super();
    // All lines, unless the process exits without `flush`.
    process.on('exit', () => this.#writeRest());
  }

  write(line: string): void {
    const text = this.format(line);
    const bytes = Buffer.byteLength(text);
    if (this.#bytes + bytes > MAX_BUFFERED_BYTES) {
      this.#droppedLines += 1;
      this.emit('dropped');
      return;
    }
    this.#text += text;
    this.#bytes += bytes;
    if (this.#isWriting) return;
    this.#isWriting = true;
    setImmediate(() => this.#write());
  }

  /** Resolves when everything is written, or after at most a second. */
  async flush(): Promise<void> {
    const endsAt = performance.now() + MAX_FLUSH_MS;
    while (this.#bytes > 0 && performance.now() < endsAt) await sleep(FLUSH_POLL_MS);
  }

  #write(): void {
    const { descriptor, isNonBlocking } = this.#target;
    const chunk = this.#nextChunk();
    if (isNonBlocking)
      try {
        this.#onWritten(writeSync(descriptor, chunk));
      } catch (error) {
        this.#onError(error as NodeJS.ErrnoException);
      }
    else
      write(descriptor, chunk, (error, written) => {
        if (error) this.#onError(error);
        else this.#onWritten(written);
      });
  }

  #nextChunk(): Buffer {
    if (this.#chunk.length === 0) {
      this.#chunk = Buffer.from(this.#text);
      this.#text = '';
    }
    return this.#chunk;
  }

  #onWritten(written: number): void {
    this.#chunk = this.#chunk.subarray(written);
    this.#bytes -= written;
    if (this.#bytes > 0) {
      setImmediate(() => this.#write());
      return;
    }
    this.#isWriting = false;
    const dropped = this.#droppedLines;
    this.#droppedLines = 0;
    if (dropped > 0) this.emit('recovered', dropped);
  }

  #onError({ code }: NodeJS.ErrnoException): void {
    setTimeout(() => this.#write(), code === 'EAGAIN' ? FULL_PIPE_RETRY_MS : ERROR_RETRY_MS);
  }

  #writeRest(): void {
    const { descriptor, isNonBlocking } = this.#target;
    try {
      // A thread completes the write that it has started.
      if (isNonBlocking) writeSync(descriptor, this.#chunk);
      writeSync(descriptor, this.#text);
    } catch {
      // The process ends without these lines.
    }
  }
}

/** Opens stdout so that a write does not block the event loop. */
function openStdout(): { descriptor: number; isNonBlocking: boolean } {
  const stdout = fstatSync(STDOUT);
  // A pipe and a terminal can be opened a second time. Only then can they be non-blocking for this process alone.
  if (stdout.isFIFO() || stdout.isCharacterDevice())
    try {
      const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      return { descriptor: openSync('/dev/stdout', flags), isNonBlocking: true };
    } catch {
      // They belong to another user, or there is no /dev.
    }
  // Otherwise, a thread writes. It would not end while a pipe or a socket blocks: Node.js makes them non-blocking.
  void process.stdout;
  return { descriptor: STDOUT, isNonBlocking: false };
}
