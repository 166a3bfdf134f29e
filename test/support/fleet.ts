import http from 'node:http';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { AnySecondCounter } from '../../apps/sandbox/src/any-second-counter.js';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { type Answer, send } from './client.js';
import { variablesFor } from './environment.js';
import { readMetric } from './metrics.js';
import { GatewayProcess } from './process.js';

interface Timed extends Answer {
  readonly tookMs: number;
}

interface Replica {
  readonly process: GatewayProcess;
  readonly url: string;
}

/** Several gateways as processes of their own, in front of one sandbox, over a network with delays. */
export class Fleet {
  readonly #replicas: Replica[] = [];
  readonly #agent = new http.Agent({ keepAlive: true });
  /** The last words of replicas that ended unasked. */
  readonly deaths: string[] = [];
  #calls = 0;

  private constructor(
    readonly sandbox: Sandbox,
    private readonly variables: Record<string, string>,
  ) {}

  /**
   * @param variables of every replica
   * @param maxMs the longest delay each way, in milliseconds
   */
  static async start(size: number, variables: Record<string, string>, maxMs = 200): Promise<Fleet> {
    const sandbox = await startSandbox({ autoTasks: true, quotaPerSecond: 1000 });
    sandbox.setDelays({ request: { minMs: 0, maxMs }, answer: { minMs: 0, maxMs } });
    const fleet = new Fleet(sandbox, variables);
    await Promise.all(Array.from({ length: size }, () => fleet.grow()));
    return fleet;
  }

  get urls(): string[] {
    return this.#replicas.map(({ url }) => url);
  }

  get mostInAnySecond(): number {
    return this.sandbox.state().statistics.mostInAnySecond;
  }

  /** Of what has arrived since the arrivals were last cleared. */
  get mostInAnySecondOfLate(): number {
    const counter = new AnySecondCounter();
    for (const { at } of this.sandbox.arrivals()) counter.count(at);
    return counter.most;
  }

  /** One more replica. */
  async grow(changes: Record<string, string> = {}): Promise<void> {
    const base = {
      ...variablesFor(this.sandbox),
      TRTC_ENDPOINT: this.sandbox.httpUrl,
      UPSTREAM_MAX_ATTEMPTS: '1',
    };
    const process = new GatewayProcess({ ...base, ...this.variables, ...changes });
    const replica = { process, url: await process.url() };
    this.#replicas.push(replica);
    void this.#watch(replica);
  }

  async #watch(replica: Replica): Promise<void> {
    const { code, stdout, stderr } = await replica.process.finished;
    const last = stdout.trimEnd().split('\n').at(-1);
    if (this.#replicas.includes(replica)) this.deaths.push(`${code}: ${last} ${stderr}`);
  }

  /** The oldest replica gets this signal and no more calls. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const { process } = this.#replicas.shift()!;
    process.kill(signal);
    await process.finished;
  }

  /** Calls at this rate for that long, to each replica in turn. Whoever is gone is not counted. */
  async flood(perSecond: number, seconds: number, headers: http.OutgoingHttpHeaders = {}): Promise<Timed[]> {
    const calls: Promise<Timed | undefined>[] = [];
    const start = performance.now();
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const due = start + (n * 1000) / perSecond - performance.now();
      // Whoever is late still lets the answers in.
      await (due > 0 ? sleep(due) : turn());
      calls.push(this.call(headers).catch(() => undefined));
    }
    return (await Promise.all(calls)).filter((answer) => answer !== undefined);
  }

  async call(headers: http.OutgoingHttpHeaders = {}): Promise<Timed> {
    return this.callAt(this.urls[this.#calls % this.#replicas.length]!, headers);
  }

  async callAt(url: string, headers: http.OutgoingHttpHeaders = {}): Promise<Timed> {
    this.#calls += 1;
    const start = performance.now();
    const answer = await send(url, `/ingest-tasks/task-${this.#calls}`, { agent: this.#agent, headers });
    return { ...answer, tookMs: performance.now() - start };
  }

  /** The sum of a metric over all replicas. */
  async metric(name: string): Promise<number> {
    let sum = 0;
    for (const url of this.urls) sum += await readMetric(url, name);
    return sum;
  }

  /** Waits until each replica has found the store again, if it was lost. @returns whether that was in time */
  async found(withinMs: number): Promise<boolean> {
    const end = performance.now() + withinMs;
    while ((await this.metric('quota_store_up')) < this.#replicas.length) {
      if (performance.now() > end) return false;
      await sleep(50);
    }
    return true;
  }

  /** How long calls took at the cloud on average, in seconds. */
  async roundTrip(): Promise<number> {
    const of = 'tencentcloud_request_duration_seconds';
    const labels = '{action="StopStreamIngest",code="OK"}';
    return (await this.metric(`${of}_sum${labels}`)) / (await this.metric(`${of}_count${labels}`));
  }

  /** What each replica said of its store, in order. */
  storeEvents(): { event: string; reason?: string; part?: number }[][] {
    return this.#replicas.map(({ process }) =>
      process.stdout
        .split('\n')
        .filter((line) => line.includes('"event":"quota-store-'))
        .map((line) => JSON.parse(line) as { event: string }),
    );
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    while (this.#replicas.length > 0) await this.end('SIGKILL');
    await this.sandbox.close();
  }
}
