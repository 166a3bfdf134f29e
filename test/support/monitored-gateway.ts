import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import type { SandboxCredentials } from '../../apps/sandbox/src/credentials.js';
import { bearerHeader, callerEntry } from './callers-file.js';
import { type HttpResponse, send } from './client.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { gatewayEnvironment } from './environment.js';
import { GatewayProcess } from './process.js';
import { accelerateRules, PrometheusProcess } from './prometheus.js';
import { RedisProcess } from './redis.js';
import { createTempFolder, replaceFileAtomically, type TempFolder } from './temp-folder.js';

const CALLER_KEY = 'igw_studio-key';
const CALL_INTERVAL_MS = 150;

/** An alert fires and resolves faster, even on a busy machine. */
const ALERT_TIMEOUT_MS = 110_000;

/** A replica that keeps its address when it restarts. */
class Replica {
  process!: GatewayProcess;

  constructor(
    readonly port: number,
    private readonly variables: Record<string, string>,
  ) {}

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.process = new GatewayProcess({ ...this.variables, PORT: String(this.port) });
    await this.process.url();
  }

  async kill(): Promise<void> {
    this.process.kill('SIGCONT');
    this.process.kill('SIGKILL');
    await this.process.finished;
  }
}

/**
 * Two replicas as in production, with Redis, credentials in files, and a few calls per second. A Prometheus with
 * accelerated rules monitors them. Tests cause incidents and wait for the alerts.
 */
export class MonitoredGateway {
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #timers = new Set<NodeJS.Timeout>();
  #calls = 0;

  private constructor(
    readonly sandbox: Sandbox,
    readonly redis: RedisProcess,
    readonly replicas: readonly [Replica, Replica],
    readonly prometheus: PrometheusProcess,
    private readonly folder: TempFolder,
  ) {}

  /** @param proxy takes the sandbox's port and returns the endpoint of the gateways; default: the sandbox itself */
  static async start(
    proxy: (port: number) => Promise<string> = (port) => Promise.resolve(`http://127.0.0.1:${port}`),
  ): Promise<MonitoredGateway> {
    const folder = await createTempFolder();
    const [sandbox, redis] = await Promise.all([
      startSandbox({ acceptUnknownTasks: true }),
      RedisProcess.start(),
    ]);
    const [credentials] = sandbox.credentials;
    await Promise.all([
      writeFile(join(folder.path, 'callers.json'), JSON.stringify([callerEntry('studio', CALLER_KEY)])),
      writeFile(join(folder.path, 'id'), credentials!.secretId),
      writeFile(join(folder.path, 'key'), credentials!.secretKey),
    ]);
    const variables = {
      ...gatewayEnvironment(sandbox),
      ALLOW_ANONYMOUS: '',
      CALLERS_FILE: join(folder.path, 'callers.json'),
      TENCENTCLOUD_SECRET_ID: '',
      TENCENTCLOUD_SECRET_KEY: '',
      TENCENTCLOUD_SECRET_ID_FILE: join(folder.path, 'id'),
      TENCENTCLOUD_SECRET_KEY_FILE: join(folder.path, 'key'),
      TRTC_ENDPOINT: await proxy(Number(new URL(sandbox.httpUrl).port)),
      REDIS_URL: redis.url,
      UPSTREAM_ATTEMPT_TIMEOUT_MS: '2500',
      UPSTREAM_MAX_ATTEMPTS: '1',
    };
    const replicas = [
      new Replica(await freePort(), variables),
      new Replica(await freePort(), variables),
    ] as const;
    await Promise.all(replicas.map((replica) => replica.start()));
    const prometheus = await PrometheusProcess.start(
      replicas.map(({ host }) => host),
      accelerateRules,
    );
    const monitored = new MonitoredGateway(sandbox, redis, replicas, prometheus, folder);
    monitored.repeatEvery(CALL_INTERVAL_MS, () => monitored.call());
    await eventually(
      async () => (await prometheus.query('job:ingest_gateway_stops_failed:ratio_rate5m == 0')).length === 1,
    );
    return monitored;
  }

  /** Sends one call, to each replica in turn. @returns undefined when the replica does not respond */
  async call(): Promise<HttpResponse | undefined> {
    this.#calls += 1;
    const { host } = this.replicas[this.#calls % 2]!;
    const path = `/ingest-tasks/task-${this.#calls}`;
    return send(`http://${host}`, path, { agent: this.#agent, headers: bearerHeader(CALLER_KEY) }).catch(
      () => undefined,
    );
  }

  /** Runs an action at an interval. @returns a function that ends this and waits for the last run */
  repeatEvery(ms: number, action: () => Promise<unknown>): () => Promise<void> {
    const inFlight = new Set<Promise<unknown>>();
    const timer = setInterval(() => {
      const done = action().finally(() => inFlight.delete(done));
      inFlight.add(done);
    }, ms);
    this.#timers.add(timer);
    return async () => {
      clearInterval(timer);
      this.#timers.delete(timer);
      await Promise.all(inFlight);
    };
  }

  async writeCallers(text = JSON.stringify([callerEntry('studio', CALLER_KEY)])): Promise<void> {
    await replaceFileAtomically(join(this.folder.path, 'callers.json'), text);
  }

  /** Writes the given halves of the credentials. */
  async writeCredentials({ secretId, secretKey }: Partial<SandboxCredentials>): Promise<void> {
    if (secretId !== undefined) await replaceFileAtomically(join(this.folder.path, 'id'), secretId);
    if (secretKey !== undefined) await replaceFileAtomically(join(this.folder.path, 'key'), secretKey);
  }

  /**
   * Causes an incident and waits for the alert: it is pending first, and fires after its `for`, neither earlier nor later.
   *
   * @param minutes the `for` of the alert; accelerated rules have seconds in place of minutes
   * @throws Error when the alert is not inactive before, or fires at another time
   */
  async waitUntilFiring(alert: string, minutes: number, cause: () => unknown): Promise<void> {
    await eventually(async () => (await this.prometheus.alertState(alert)) === 'inactive', ALERT_TIMEOUT_MS);
    const startSeconds = Date.now() / 1000;
    await cause();
    await this.prometheus.waitUntilFiring(alert, minutes, startSeconds, ALERT_TIMEOUT_MS);
  }

  /** Fixes the trouble, and waits until the alert has resolved and a call succeeds. */
  async waitUntilResolved(alert: string, fix: () => unknown): Promise<void> {
    if ((await this.prometheus.alertState(alert)) !== 'firing')
      throw new Error(`${alert} resolved before the trouble was over`);
    await fix();
    await eventually(async () => (await this.prometheus.alertState(alert)) === 'inactive', ALERT_TIMEOUT_MS);
    await eventually(async () => (await this.call())?.status === 200);
  }

  /** Whether a replica has logged this event. */
  hasLogged(event: string): boolean {
    return this.replicas.some(({ process }) => process.stdout.includes(`"event":"${event}"`));
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#agent.destroy();
    await this.prometheus.close();
    await Promise.all(this.replicas.map((replica) => replica.kill()));
    await Promise.all([this.sandbox.close(), this.redis.close()]);
    await this.folder.remove();
  }
}
