import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Statistics } from '../../apps/sandbox/src/statistics.js';
import { Child, type Core, script } from './child.js';
import { freePort } from './free-port.js';
import { LogFile } from './log-file.js';
import type { SandboxPlace } from './servers/sandbox.js';

/** The stand-in for the cloud, in a process of its own on the core of the load. */
export class Cloud {
  private constructor(
    private readonly child: Child,
    readonly place: SandboxPlace,
  ) {}

  static async start(options: object = {}): Promise<Cloud> {
    const child = new Child(script('./servers/sandbox.js'), {
      core: 1,
      env: { SANDBOX: JSON.stringify(options) },
    });
    return new Cloud(child, await child.told());
  }

  statistics(): Promise<Statistics> {
    return this.child.ask('statistics');
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

export interface GatewayOptions {
  readonly core?: Core;
  /** Default 5, as a small company has. */
  readonly callers?: number;
  readonly env?: Record<string, string>;
  /** Further arguments for Node itself. */
  readonly runtime?: readonly string[];
  /** Where to reach the cloud, if not directly. */
  readonly endpoint?: string;
}

/** Room for a burst after a moment in which the machine was busy: where latency is measured, no call is to be refused. */
export const ROOMY = { QUOTA_PER_SECOND: '60' };

/** How long nothing is lent after the start, and a little more. */
const HOLD_MS = 1600;

/** The key of the caller with this number. */
export function keyOf(caller: number): string {
  return `benchmark-caller-number-${caller}`;
}

/** The built gateway as production runs it, with keys, behind HTTPS to the cloud; its log goes to a file. */
export class Gateway {
  private constructor(
    readonly child: Child,
    readonly port: number,
    private readonly folder: string,
    private readonly log: LogFile,
  ) {}

  /** Started, and answering that it is ready. */
  static async start(cloud: Cloud, options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = Gateway.begin(cloud, await freePort(), options);
    await gateway.#ready();
    return gateway;
  }

  /** Just started. */
  static begin(cloud: Cloud, port: number, options: GatewayOptions = {}): Gateway {
    const { core, callers = 5, env = {}, runtime = [], endpoint } = options;
    const { httpsUrl, ca, secretId, secretKey } = cloud.place;
    const folder = mkdtempSync(join(tmpdir(), 'ingest-gateway-bench-'));
    const file = (name: string, content: string): string => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const entries = Array.from({ length: callers }, (_, caller) => ({
      name: `caller-${caller}`,
      keySha256: hash('sha256', keyOf(caller)),
    }));
    const log = new LogFile();
    const child = new Child(
      [
        process.execPath,
        '--enable-source-maps',
        '--max-semi-space-size=4',
        ...runtime,
        'dist/gateway/main.js',
      ],
      {
        ...(core !== undefined && { core }),
        printTo: log.descriptor,
        env: {
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
      },
    );
    return new Gateway(child, port, folder, log);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Lets the hold after its start go by. */
  async open(): Promise<this> {
    await sleep(HOLD_MS);
    return this;
  }

  emptyLog(): void {
    this.log.empty();
  }

  async stop(): Promise<void> {
    await this.child.stop();
    this.log.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    while (!(await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok) {
      if (this.child.ended) throw new Error('the gateway did not start');
      await sleep(10);
    }
  }
}
