import http from 'node:http';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { SlidingWindowCounter } from '../../apps/sandbox/src/sliding-window-counter.js';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, send } from './client.js';
import { gatewayEnvironment } from './environment.js';
import { readMetric } from './metrics.js';
import { GatewayProcess } from './process.js';

interface TimedResponse extends HttpResponse {
  readonly durationMs: number;
}

interface Replica {
  readonly process: GatewayProcess;
  readonly url: string;
}

/** Several gateways as processes of their own, in front of one sandbox, over a network with delays. */
export class ReplicaSet {
  readonly #replicas: Replica[] = [];
  readonly #agent = new http.Agent({ keepAlive: true });
  /** The last words of replicas that ended unasked. */
  readonly unexpectedExits: string[] = [];
  #calls = 0;

  private constructor(
    readonly sandbox: Sandbox,
    private readonly variables: Record<string, string>,
  ) {}

  /**
   * @param variables of every replica
   * @param maxMs the longest delay each way, in milliseconds
   */
  static async start(size: number, variables: Record<string, string>, maxMs = 200): Promise<ReplicaSet> {
    const sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
    sandbox.setDelays({ request: { minMs: 0, maxMs }, response: { minMs: 0, maxMs } });
    const replicaSet = new ReplicaSet(sandbox, variables);
    await Promise.all(Array.from({ length: size }, () => replicaSet.addReplica()));
    return replicaSet;
  }

  get urls(): string[] {
    return this.#replicas.map(({ url }) => url);
  }

  get peakPerSecond(): number {
    return this.sandbox.state().statistics.peakPerSecond;
  }

  /** Of what has arrived since the arrivals were last cleared. */
  get recentPeakPerSecond(): number {
    const counter = new SlidingWindowCounter();
    for (const { receivedAtMs: at } of this.sandbox.receivedRequests()) counter.record(at);
    return counter.peak;
  }

  /** One more replica. */
  async addReplica(changes: Record<string, string> = {}): Promise<void> {
    const base = {
      ...gatewayEnvironment(this.sandbox),
      TRTC_ENDPOINT: this.sandbox.httpUrl,
      UPSTREAM_MAX_ATTEMPTS: '1',
    };
    const process = new GatewayProcess({ ...base, ...this.variables, ...changes });
    const replica = { process, url: await process.url() };
    this.#replicas.push(replica);
    void this.#recordUnexpectedExit(replica);
  }

  async #recordUnexpectedExit(replica: Replica): Promise<void> {
    const { code, stdout, stderr } = await replica.process.finished;
    const last = stdout.trimEnd().split('\n').at(-1);
    if (this.#replicas.includes(replica)) this.unexpectedExits.push(`${code}: ${last} ${stderr}`);
  }

  /** The oldest replica gets this signal and no more calls. */
  async stopOldest(signal: NodeJS.Signals): Promise<void> {
    const { process } = this.#replicas.shift()!;
    process.kill(signal);
    await process.finished;
  }

  /** Calls at this rate for that long, to each replica in turn. Whoever is gone is not counted. */
  async sendAtRate(
    perSecond: number,
    seconds: number,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<TimedResponse[]> {
    const calls: Promise<TimedResponse | undefined>[] = [];
    const start = performance.now();
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const due = start + (n * 1000) / perSecond - performance.now();
      // Whoever is late still lets the answers in.
      await (due > 0 ? sleep(due) : turn());
      calls.push(this.call(headers).catch(() => undefined));
    }
    return (await Promise.all(calls)).filter((response) => response !== undefined);
  }

  async call(headers: http.OutgoingHttpHeaders = {}): Promise<TimedResponse> {
    return this.callReplica(this.urls[this.#calls % this.#replicas.length]!, headers);
  }

  async callReplica(url: string, headers: http.OutgoingHttpHeaders = {}): Promise<TimedResponse> {
    this.#calls += 1;
    const start = performance.now();
    const response = await send(url, `/ingest-tasks/task-${this.#calls}`, { agent: this.#agent, headers });
    return { ...response, durationMs: performance.now() - start };
  }

  /** The sum of a metric over all replicas. */
  async sumMetric(name: string): Promise<number> {
    let sum = 0;
    for (const url of this.urls) sum += await readMetric(url, name);
    return sum;
  }

  /** Waits until each replica has found the store again, if it was lost. @returns whether that was in time */
  async waitForRedis(withinMs: number): Promise<boolean> {
    const stopOldest = performance.now() + withinMs;
    while ((await this.sumMetric('ingest_gateway_quota_redis_up')) < this.#replicas.length) {
      if (performance.now() > stopOldest) return false;
      await sleep(50);
    }
    return true;
  }

  /** How long calls took at the cloud on average, in seconds. */
  async averageUpstreamSeconds(): Promise<number> {
    const of = 'tencentcloud_request_duration_seconds';
    const labels = '{action="StopStreamIngest",code="OK"}';
    return (await this.sumMetric(`${of}_sum${labels}`)) / (await this.sumMetric(`${of}_count${labels}`));
  }

  /** What each replica said of its store, in order. */
  redisEvents(): { event: string; reason?: string; fallbackSlots?: number }[][] {
    return this.#replicas.map(({ process }) =>
      process.stdout
        .split('\n')
        .filter((line) => line.includes('"event":"quota-store-'))
        .map((line) => JSON.parse(line) as { event: string }),
    );
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    while (this.#replicas.length > 0) await this.stopOldest('SIGKILL');
    await this.sandbox.close();
  }
}
