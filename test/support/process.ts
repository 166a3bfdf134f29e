import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertLogEntry } from '../contract/log-events.js';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built gateway as a process of its own, as production runs it. */
export class GatewayProcess {
  readonly #child: ChildProcess;
  /** Rejects when a log entry is not as in the contract. */
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';

  /**
   * @param runtime further arguments for Node itself
   * @param folder where the bundle is
   */
  constructor(environment: Record<string, string>, runtime: string[] = [], folder = 'dist/gateway') {
    this.#child = spawn(
      process.execPath,
      ['--enable-source-maps', '--max-semi-space-size=4', ...runtime, `${folder}/main.js`],
      {
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.finished = once(this.#child, 'close').then(([code]) => {
      // A process that is killed may leave half a line.
      for (const line of this.stdout.split('\n').slice(0, -1))
        if (line.startsWith('{')) assertLogEntry(JSON.parse(line) as Record<string, unknown>);
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** The address from the line that says where it listens. */
  async url(): Promise<string> {
    for (;;) {
      const url = /listening on (http:\/\/[^\s,"]+)/.exec(this.stdout)?.[1];
      if (url) return url;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the gateway ended: ${(await this.finished).stderr}`);
      await sleep(20);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
