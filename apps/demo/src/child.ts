import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PATIENCE_MS = 5000;
const KEPT_OUTPUT = 4000;

/** A program of this repository in a process of its own. */
export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #died = new AbortController();
  #complaints = '';

  /**
   * @param name the app's, under apps/
   * @param variables its whole environment: nothing of the user's own, such as real keys, gets in
   */
  constructor(name: string, variables: Record<string, string>) {
    this.#name = name;
    const watch = new URL('end-with-parent.js', import.meta.url).href;
    const program = fileURLToPath(new URL(`../../${name}/src/main.js`, import.meta.url));
    this.#process = spawn(process.execPath, ['--import', watch, program], {
      env: variables,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (text: Buffer) => {
      this.#complaints = (this.#complaints + text.toString()).slice(-KEPT_OUTPUT);
    });
    this.#exited = once(this.#process, 'close').then(
      () => this.#died.abort(new Error(this.#obituary())),
      (error: unknown) => this.#died.abort(error),
    );
  }

  /** Aborts when the process ends; the reason says in one line what it said last. */
  get died(): AbortSignal {
    return this.#died.signal;
  }

  /** Asks it to end, makes it end if it does not, and resolves when it has. */
  async stop(): Promise<void> {
    if (this.#died.signal.aborted) return;
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS);
    this.#process.kill('SIGTERM');
    await this.#exited;
    clearTimeout(impatience);
  }

  #obituary(): string {
    const { exitCode, signalCode } = this.#process;
    const how = signalCode ? `was ended by ${signalCode}` : `ended with exit code ${exitCode}`;
    const lastWords = this.#complaints.replaceAll(/\s+/g, ' ').trim();
    return `the ${this.#name} ${how}${lastWords && `: ${lastWords}`}`;
  }
}
