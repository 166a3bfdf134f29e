import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { Subprocess } from './process.js';
import { type Program, resolveProgram } from './programs.js';
import { createTempFolder, type TempFolder } from './temp-folder.js';

const REDIS: Program = {
  name: 'redis-server',
  packages: ['redis-server'],
  installHint: 'macOS: brew install redis. Redis 6 or later, or Valkey with its redis-server link.',
};

const GCC: Program = {
  name: 'gcc',
  packages: ['gcc', 'libc6-dev'],
  installHint: 'This test needs Linux.',
};
const OFFSET_LIBRARY_SOURCE = fileURLToPath(new URL('wall-clock-offset.c', import.meta.url));

/** A Redis server for one test, on a free port of loopback. It keeps no data on disk. */
export class RedisProcess {
  #child: Subprocess | undefined;

  private constructor(
    private readonly binary: string,
    private readonly folder: TempFolder,
    readonly port: number,
    readonly settings: readonly string[],
    private readonly env: Record<string, string> = {},
  ) {}

  static async start(...settings: string[]): Promise<RedisProcess> {
    const folder = await createTempFolder();
    const redis = new RedisProcess(resolveProgram(REDIS), folder, await freePort(), settings);
    await redis.restart();
    return redis;
  }

  /** Starts a server whose wall clock {@link stepClock} sets. Its monotonic clock runs on. */
  static async startWithFakeClock(): Promise<RedisProcess> {
    const folder = await createTempFolder();
    const library = join(folder.path, 'wall-clock-offset.so');
    execFileSync(resolveProgram(GCC), ['-shared', '-fPIC', '-O1', '-o', library, OFFSET_LIBRARY_SOURCE]);
    const env = { LD_PRELOAD: library, WALL_CLOCK_OFFSET_FILE: join(folder.path, 'offset') };
    const redis = new RedisProcess(resolveProgram(REDIS), folder, await freePort(), [], env);
    redis.stepClock(0);
    await redis.restart();
    return redis;
  }

  /** Sets the wall clock of the server to this many seconds before or after that of the machine. */
  stepClock(seconds: number): void {
    const offset = Buffer.alloc(8);
    offset.writeBigInt64LE(BigInt(seconds));
    // In place, because the server has mapped the file into its memory.
    const file = openSync(this.env['WALL_CLOCK_OFFSET_FILE']!, constants.O_WRONLY | constants.O_CREAT);
    writeSync(file, offset, 0, 8, 0);
    closeSync(file);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child?.hasExited === false;
  }

  /** Starts an empty Redis on the same port. */
  async restart(): Promise<void> {
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.folder.path];
    const command = [this.binary, '--port', String(this.port), ...fixed, ...this.settings];
    this.#child = new Subprocess(command, { env: this.env });
    while (!(await this.#listens())) {
      if (this.#child.hasExited) throw new Error(`redis-server exited: ${this.#child.stdout}`);
      await sleep(20);
    }
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    this.#child!.kill(signal);
    if (signal === 'SIGKILL') await this.#child!.finished;
  }

  /** Sends one command and returns the raw reply. */
  async command(...words: string[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    );
    const [reply] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return reply.toString();
  }

  async close(): Promise<void> {
    await this.signal('SIGCONT');
    await this.signal('SIGKILL');
    await this.folder.remove();
  }

  async #listens(): Promise<boolean> {
    try {
      return /^(\+PONG|-NOAUTH)/.test(await this.command('PING'));
    } catch {
      return false;
    }
  }
}
