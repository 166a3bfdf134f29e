import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, listen } from './free-port.js';
import { Subprocess } from './process.js';
import { type Program, resolveProgram } from './programs.js';

const REDIS: Program = {
  name: 'redis-server',
  packages: ['redis-server'],
  installHint: 'macOS: brew install redis. Redis 6 or later, or Valkey with its redis-server link.',
};

/** A Redis of this test's own, on a free port of loopback, keeping nothing on disk. */
export class RedisProcess {
  #child: Subprocess | undefined;

  private constructor(
    private readonly binary: string,
    private readonly directory: string,
    readonly port: number,
    private readonly settings: readonly string[],
  ) {}

  static async start(...settings: string[]): Promise<RedisProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'ingest-gateway-redis-'));
    const redis = new RedisProcess(resolveProgram(REDIS), directory, await freePort(), settings);
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it on the same port, empty. */
  async restart(): Promise<void> {
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.directory];
    this.#child = new Subprocess([this.binary, '--port', String(this.port), ...fixed, ...this.settings]);
    while (!(await this.#listens())) {
      if (this.#child.hasExited) throw new Error(`redis-server exited: ${this.#child.stdout}`);
      await sleep(20);
    }
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    this.#child!.kill(signal);
    if (signal === 'SIGKILL') await this.#child!.finished;
  }

  /** Sends one command as its words. */
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
    await rm(this.directory, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    try {
      return /^(\+PONG|-NOAUTH)/.test(await this.command('PING'));
    } catch {
      return false;
    }
  }
}

/** A way to Redis that can be cut and led elsewhere. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isDisconnected = false;
  #target: number;
  #port = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => {
      this.#track(near);
      if (this.#isDisconnected) return;
      const far = connect(this.#target, '127.0.0.1');
      this.#track(far);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
      near.on('data', (data: Buffer) => this.#isDisconnected || far.write(data));
      far.on('data', (data: Buffer) => this.#isDisconnected || near.write(data));
    });
  }

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#port = await listen(proxy.#server);
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Nothing passes any more, and nobody is told. */
  disconnect(): void {
    this.#isDisconnected = true;
  }

  /** New connections pass again. */
  reconnect(target = this.#target): void {
    this.#target = target;
    this.#isDisconnected = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
