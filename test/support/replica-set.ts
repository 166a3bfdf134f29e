import http from 'node:http';
import { setImmediate as yieldToEventLoop, setTimeout as sleep } from 'node:timers/promises';
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

/** Several gateway processes that call one sandbox over a network with random delays. */
export class ReplicaSet {
  readonly #replicas: Replica[] = [];
  readonly #agent = new http.Agent({ keepAlive: true });
  /** Exit code and last output of each replica that exited without `stopOldest`. */
  readonly unexpectedExits: string[] = [];
  #calls = 0;

  private constructor(
    readonly sandbox: Sandbox,
    private readonly variables: Record<string, string>,
    private readonly nodeArguments: readonly string[],
  ) {}

  /**
   * @param variables of every replica
   * @param maxMs the longest delay each way, in milliseconds
   * @param nodeArguments further arguments for Node.js
   */
  static async start(
    size: number,
    variables: Record<string, string>,
    maxMs = 200,
    nodeArguments: readonly string[] = [],
  ): Promise<ReplicaSet> {
    const sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
    sandbox.setDelays({ request: { minMs: 0, maxMs }, response: { minMs: 0, maxMs } });
    const replicaSet = new ReplicaSet(sandbox, variables, nodeArguments);
    await Promise.all(Array.from({ length: size }, () => replicaSet.addReplica()));
    return replicaSet;
  }

  get urls(): string[] {
    return this.#replicas.map(({ url }) => url);
  }

  get peakPerSecond(): number {
    return this.sandbox.state().statistics.peakPerSecond;
  }

  /** The peak of the requests since `clearReceivedRequests`. */
  get recentPeakPerSecond(): number {
    const counter = new SlidingWindowCounter();
    for (const { receivedAtMs: at } of this.sandbox.receivedRequests()) counter.record(at);
    return counter.peak;
  }

  /** Starts one more replica. */
  async addReplica(changes: Record<string, string> = {}): Promise<void> {
    const base = {
      ...gatewayEnvironment(this.sandbox),
      TRTC_ENDPOINT: this.sandbox.httpUrl,
      UPSTREAM_MAX_ATTEMPTS: '1',
    };
    const process = new GatewayProcess({ ...base, ...this.variables, ...changes }, this.nodeArguments);
    const replica = { process, url: await process.url() };
    this.#replicas.push(replica);
    void this.#recordUnexpectedExit(replica);
  }

  async #recordUnexpectedExit(replica: Replica): Promise<void> {
    const { code, stdout, stderr } = await replica.process.finished;
    const lastLine = stdout.trimEnd().split('\n').at(-1);
    if (this.#replicas.includes(replica)) this.unexpectedExits.push(`${code}: ${lastLine} ${stderr}`);
  }

  /** Sends a signal to every replica. */
  signal(signal: NodeJS.Signals): void {
    for (const { process } of this.#replicas) process.kill(signal);
  }

  /** Sends a signal to the oldest replica, which gets no more calls, and waits for its exit. */
  async stopOldest(signal: NodeJS.Signals): Promise<void> {
    const { process } = this.#replicas.shift()!;
    process.kill(signal);
    await process.finished;
  }

  /** Sends calls at a steady rate, to each replica in turn. @returns the responses, without failed connections */
  async sendAtRate(
    perSecond: number,
    seconds: number,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<TimedResponse[]> {
    const calls: Promise<TimedResponse | undefined>[] = [];
    const start = performance.now();
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const due = start + (n * 1000) / perSecond - performance.now();
      // A sender that is behind schedule still lets responses arrive.
      await (due > 0 ? sleep(due) : yieldToEventLoop());
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

  /** Returns the sum of a metric over all replicas. */
  async sumMetric(name: string): Promise<number> {
    let sum = 0;
    for (const url of this.urls) sum += await readMetric(url, name);
    return sum;
  }

  /** Waits until each replica is connected to Redis. @returns false at the end of the time limit */
  async waitForRedis(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while ((await this.sumMetric('ingest_gateway_quota_redis_up')) < this.#replicas.length) {
      if (performance.now() > deadline) return false;
      await sleep(50);
    }
    return true;
  }

  /** Returns the mean duration of upstream calls. */
  async averageUpstreamSeconds(): Promise<number> {
    const metric = 'tencentcloud_request_duration_seconds';
    const labels = '{action="StopStreamIngest",code="OK"}';
    return (
      (await this.sumMetric(`${metric}_sum${labels}`)) / (await this.sumMetric(`${metric}_count${labels}`))
    );
  }

  /** The log entries of each replica about its Redis connection, in order. */
  redisEvents(): { event: string; reason?: string; fallbackSlots?: number }[][] {
    return this.#replicas.map(({ process }) =>
      process.stdout
        .split('\n')
        .filter((line) => line.includes('"event":"quota-redis-'))
        .map((line) => JSON.parse(line) as { event: string }),
    );
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    while (this.#replicas.length > 0) await this.stopOldest('SIGKILL');
    await this.sandbox.close();
  }
}
