import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Where a process may run: servers on the first core, what loads them on the second. */
export type Core = 0 | 1;

export interface ChildOptions {
  readonly core?: Core;
  readonly env?: Record<string, string>;
  /** A file descriptor for what it prints; default: nothing is kept. */
  readonly printTo?: number;
}

const TASKSET = '/usr/bin/taskset';
/** How many of `/proc`'s clock ticks make a second, on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** A process that ends with this one. */
export class Child {
  readonly #process: ChildProcess;

  constructor(command: readonly string[], { core, env = {}, printTo }: ChildOptions = {}) {
    const pinned =
      core !== undefined && existsSync(TASKSET) ? [TASKSET, '-c', String(core), ...command] : command;
    const [program, ...parameters] = pinned;
    this.#process = spawn(program!, parameters, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', printTo ?? 'ignore', 'inherit', 'ipc'],
    });
    alive.add(this.#process);
    this.#process.once('exit', () => alive.delete(this.#process));
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Sends a question, and takes the next message for the answer. */
  async ask<T>(question: unknown): Promise<T> {
    this.#process.send(question as object);
    return this.told();
  }

  /** The next message. */
  async told<T>(): Promise<T> {
    const heard = new AbortController();
    const { signal } = heard;
    const gone = once(this.#process, 'exit', { signal }).then(([code]) => {
      throw new Error(`${this.#process.spawnargs.join(' ')} ended with ${code}`);
    });
    gone.catch(() => {});
    try {
      const [message] = (await Promise.race([once(this.#process, 'message', { signal }), gone])) as [T];
      return message;
    } finally {
      heard.abort();
    }
  }

  /** Seconds of processor time that it has used, its kernel's work included. */
  cpuSeconds(pid = this.pid): number {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) * 1024;
  }

  async stop(signal: keyof typeof constants.signals = 'SIGKILL'): Promise<void> {
    if (this.ended) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }
}

/** A built script of this benchmark's, which says where it is as its first message. */
export function script(path: string): readonly string[] {
  return [process.execPath, new URL(path, import.meta.url).pathname];
}
