import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Statistics } from '../../apps/sandbox/src/statistics.js';
import { callerEntry } from '../../test/support/callers-file.js';
import { freePort } from '../../test/support/free-port.js';
import { GatewayProcess, type Subprocess } from '../../test/support/process.js';
import { LogFile } from './log-file.js';
import { LOAD_CORE, startScript } from './script.js';
import type { SandboxAddress } from './servers/sandbox.js';

/** The sandbox, in its own process on the core of the load. */
export class Cloud {
  private constructor(
    private readonly child: Subprocess,
    readonly address: SandboxAddress,
  ) {}

  static async start(): Promise<Cloud> {
    const { child, ready } = await startScript<SandboxAddress>(
      './servers/sandbox.js',
      {},
      { core: LOAD_CORE },
    );
    return new Cloud(child, ready);
  }

  statistics(): Promise<Statistics> {
    return this.child.request('statistics');
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }
}

export interface GatewayOptions {
  readonly core?: number;
  /** Default 5. */
  readonly callers?: number;
  readonly env?: Record<string, string>;
  readonly nodeArguments?: readonly string[];
  /** The folder of the bundle; default: that of this build. */
  readonly bundle?: string;
  /** The upstream's URL; default: the sandbox. */
  readonly endpoint?: string;
}

/**
 * Room for the warm-up, and for a burst after the machine was busy: where latency is measured, no call may be rejected.
 * The time of a call depends on the slots in use, not on their limit.
 */
export const LARGE_QUOTA = { QUOTA_PER_SECOND: '1000' };

/** A little longer than the 1.5 s after the start in which no slot is granted. */
const STARTUP_DELAY_MS = 1600;

/** The same with an empty Redis, where it takes 3 s. */
const REDIS_STARTUP_DELAY_MS = 4000;

/** The key of the caller with this index. */
export function keyOf(index: number): string {
  return `benchmark-caller-number-${index}`;
}

/** The built gateway with callers' keys, HTTPS to the sandbox, and its log in a file. */
export class Gateway {
  private constructor(
    readonly child: GatewayProcess,
    readonly port: number,
    private readonly folder: string,
    private readonly log: LogFile,
  ) {}

  /** Starts a gateway and waits until it is ready. */
  static async start(cloud: Cloud, options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = Gateway.spawn(cloud, await freePort(), options);
    await gateway.#waitUntilReady();
    return gateway;
  }

  static spawn(cloud: Cloud, port: number, options: GatewayOptions = {}): Gateway {
    const { core, callers = 5, env = {}, nodeArguments = [], bundle = 'dist/gateway', endpoint } = options;
    const { httpsUrl, ca, secretId, secretKey } = cloud.address;
    const folder = mkdtempSync(join(tmpdir(), 'ingest-gateway-bench-'));
    const file = (name: string, content: string): string => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const entries = Array.from({ length: callers }, (_, n) => callerEntry(`caller-${n}`, keyOf(n)));
    const log = new LogFile();
    const child = new GatewayProcess(
      {
        HOST: '127.0.0.1',
        PORT: String(port),
        NODE_ENV: 'production',
        NODE_EXTRA_CA_CERTS: file('ca.pem', ca),
        CALLERS_FILE: file('callers.json', JSON.stringify(entries)),
        TENCENTCLOUD_SECRET_ID: secretId,
        TENCENTCLOUD_SECRET_KEY: secretKey,
        TRTC_SDK_APP_ID: '1400000001',
        TRTC_ENDPOINT: endpoint ?? httpsUrl,
        ...env,
      },
      nodeArguments,
      bundle,
      { ...(core !== undefined && { core }), stdout: log.descriptor, stderr: 'inherit', hasChannel: true },
    );
    return new Gateway(child, port, folder, log);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits until slots are granted. */
  async waitForSlots(): Promise<this> {
    await sleep(STARTUP_DELAY_MS);
    return this;
  }

  truncateLog(): void {
    this.log.truncate();
  }

  async stop(): Promise<void> {
    await this.child.stop();
    this.log.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #waitUntilReady(): Promise<void> {
    while (!(await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok) {
      if (this.child.hasExited) throw new Error('the gateway did not start');
      await sleep(10);
    }
  }
}

/** Starts replicas that share their slots through an empty Redis, and waits until slots are granted. */
export async function startReplicas(
  cloud: Cloud,
  redisUrl: string,
  count: number,
  options: GatewayOptions = {},
): Promise<Gateway[]> {
  const env = { ...options.env, REDIS_URL: redisUrl };
  const replicas = await Promise.all(
    Array.from({ length: count }, () => Gateway.start(cloud, { ...options, env })),
  );
  await sleep(REDIS_STARTUP_DELAY_MS);
  return replicas;
}
