import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

/** A named pipe that a test gives to a process as its stdout, and reads when it likes. */
export class Fifo {
  readonly path: string;
  /** Give it to the process, then call {@link closeWriter}. */
  readonly writer: number;
  #reader: Socket;

  constructor(folder: string) {
    this.path = join(folder, 'fifo');
    execFileSync('mkfifo', [this.path]);
    this.#reader = this.#openReader();
    this.writer = openSync(this.path, 'w');
  }

  closeWriter(): void {
    closeSync(this.writer);
  }

  closeReader(): void {
    this.#reader.destroy();
  }

  /** Collects all that is written, from now on. */
  read(): { text: string } {
    if (this.#reader.destroyed) this.#reader = this.#openReader();
    const collected = { text: '' };
    this.#reader.setEncoding('utf8').on('data', (chunk: string) => (collected.text += chunk));
    return collected;
  }

  /** A socket reads nothing before it is asked to, and closes its descriptor at once. */
  #openReader(): Socket {
    return new Socket({
      fd: openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK),
      writable: false,
    });
  }
}
