import { once } from 'node:events';
import { globSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { Subprocess } from './process.js';
import { type Program, resolveProgram } from './programs.js';
import { createTempFolder, type TempFolder } from './temp-folder.js';

const REDIS: Program = {
  name: 'redis-server',
  packages: ['redis-server'],
  installHint: 'macOS: brew install redis. Redis 6 or later, or Valkey with its redis-server link.',
};

const FAKETIME: Program = {
  name: 'faketime',
  packages: ['faketime'],
  installHint: 'macOS: brew install libfaketime.',
};
const FAKETIME_LIBRARY = '/usr/lib/*/faketime/libfaketimeMT.so.1';

/** A Redis server for one test, on a free port of loopback. It keeps no data on disk. */
export class RedisProcess {
  #child: Subprocess | undefined;

  private constructor(
    private readonly binary: string,
    private readonly folder: TempFolder,
    readonly port: number,
    private readonly settings: readonly string[],
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
    resolveProgram(FAKETIME);
    const library = globSync(FAKETIME_LIBRARY)[0];
    if (library === undefined) throw new Error(`${FAKETIME_LIBRARY} does not exist`);
    const folder = await createTempFolder();
    const redis = new RedisProcess(resolveProgram(REDIS), folder, await freePort(), [], {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: join(folder.path, 'clock'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    });
    redis.stepClock(0);
    await redis.restart();
    return redis;
  }

  /** Sets the clock of the server to this many seconds before or after the clock of the machine. */
  stepClock(seconds: number): void {
    const file = this.env['FAKETIME_TIMESTAMP_FILE']!;
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(`${file}.new`, file);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
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
