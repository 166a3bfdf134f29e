import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertLogEntry } from '../contract/log-events.js';

export interface ExitResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SubprocessOptions {
  /** The whole environment; nothing is inherited. */
  readonly env?: Record<string, string>;
  /** The processor core that it runs on, where Linux's `taskset` is installed. */
  readonly core?: number;
  /** `pipe`, the default, collects it in `stdout`; a number is a file descriptor to write to. */
  readonly stdout?: 'pipe' | 'ignore' | number | Socket;
  readonly stderr?: 'pipe' | 'inherit';
  /** Opens a channel for messages. */
  readonly hasChannel?: boolean;
}

const TASKSET = '/usr/bin/taskset';
/** Clock ticks of `/proc` in a second, on every Linux that Node.js supports. */
const TICKS_PER_SECOND = 100;

const running = new Set<Subprocess>();

/** Kills the subprocesses that still run: for a program that exits early. */
export function killSubprocesses(): void {
  for (const subprocess of running) subprocess.kill('SIGKILL');
}

/** A child process: its output, its end, its messages, and the resources that it uses. */
export class Subprocess {
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly finished: Promise<ExitResult>;
  stdout = '';
  stderr = '';

  constructor(command: readonly string[], options: SubprocessOptions = {}) {
    const { env = {}, core, stdout = 'pipe', stderr = 'pipe', hasChannel = false } = options;
    const isPinned = core !== undefined && existsSync(TASKSET);
    const [program, ...parameters] = isPinned ? [TASKSET, '-c', String(core), ...command] : command;
    this.#command = command.join(' ');
    this.#child = spawn(program!, parameters, {
      env,
      stdio: ['ignore', stdout, stderr, ...(hasChannel ? (['ipc'] as const) : [])],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    running.add(this);
    this.finished = once(this.#child, 'close').then(([code]) => {
      running.delete(this);
      this.checkOutput(this.stdout);
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Called when the process has ended. What it throws rejects `finished`. */
  protected checkOutput(_stdout: string): void {}

  get pid(): number {
    return this.#child.pid!;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<ExitResult> {
    this.kill(signal);
    return this.finished;
  }

  /** Waits until its stdout matches. @throws Error with its stderr when it exits before that */
  async waitForOutput(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      if (this.hasExited) throw new Error(`${this.#command} exited: ${(await this.finished).stderr}`);
      await sleep(20);
    }
  }

  /** Sends a message and waits for the next one. */
  async request<T>(message: unknown): Promise<T> {
    this.#child.send(message as object);
    return this.nextMessage();
  }

  /** @throws Error when it exits without a message */
  async nextMessage<T>(): Promise<T> {
    const received = new AbortController();
    const { signal } = received;
    const exited = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`${this.#command} exited with ${code}`);
    });
    exited.catch(() => {});
    try {
      const [message] = (await Promise.race([once(this.#child, 'message', { signal }), exited])) as [T];
      return message;
    } finally {
      received.abort();
    }
  }

  /** Seconds of processor time, in user and in kernel mode; of another process when given its id. */
  cpuSeconds(pid = this.pid): number {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
  }
}

/** The built gateway in its own process, with the arguments that production uses. */
export class GatewayProcess extends Subprocess {
  /**
   * @param nodeArguments further arguments for Node.js
   * @param folder the folder of the bundle
   */
  constructor(
    env: Record<string, string>,
    nodeArguments: readonly string[] = [],
    folder = 'dist/gateway',
    options: SubprocessOptions = {},
  ) {
    const parameters = [
      '--enable-source-maps',
      '--max-semi-space-size=4',
      '--disable-sigusr1',
      ...nodeArguments,
    ];
    super([process.execPath, ...parameters, `${folder}/main.js`], { ...options, env });
  }

  /** Rejects when a log entry is not as in the contract. */
  protected override checkOutput(stdout: string): void {
    // A killed process may leave half a line.
    for (const line of stdout.split('\n').slice(0, -1))
      if (line.startsWith('{')) assertLogEntry(JSON.parse(line) as Record<string, unknown>);
  }

  /** The URL from the log entry that says where it listens. */
  async url(): Promise<string> {
    const [, url] = await this.waitForOutput(/listening on (http:\/\/[^\s,"]+)/);
    return url!;
  }
}
