import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { Subprocess } from './process.js';
import { type Program, resolveProgram } from './programs.js';

const CONFIGURATION_FOLDER = 'docker/prometheus';
const packages = { packages: ['prometheus'], installHint: 'macOS: brew install prometheus.' };
const PROMETHEUS: Program = { name: 'prometheus', ...packages };
const PROMTOOL: Program = { name: 'promtool', ...packages };

/** One series of an answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

export interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of an alert. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** Runs promtool. @throws Error with what it says, when it finds a fault */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync(resolveProgram(PROMTOOL), args, { input, encoding: 'utf8', stdio: 'pipe' });
}

/** A real Prometheus with the configuration and the rules of docker/prometheus, in a hurry. */
export class PrometheusProcess {
  private constructor(
    private readonly child: Subprocess,
    private readonly directory: string,
    readonly url: string,
  ) {}

  /**
   * @param targets `host:port` of the replicas, in place of those in the configuration
   * @param rules what is made of each file of rules
   */
  static async start(
    targets: readonly string[],
    rules: (text: string) => string = (text) => text,
  ): Promise<PrometheusProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'ingest-gateway-prometheus-'));
    writeConfiguration(directory, targets, rules);
    const port = await freePort();
    const child = new Subprocess(
      [
        resolveProgram(PROMETHEUS),
        `--config.file=${directory}/prometheus.yml`,
        `--storage.tsdb.path=${directory}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
        '--log.level=error',
      ],
      { stdout: 'ignore', stderr: 'inherit' },
    );
    const prometheus = new PrometheusProcess(child, directory, `http://127.0.0.1:${port}`);
    while (!(await prometheus.#ready())) {
      if (child.hasExited) throw new Error('prometheus exited');
      await sleep(50);
    }
    return prometheus;
  }

  /** The value of an expression now: one sample for each series. @throws Error when it is none */
  async query(expression: string): Promise<Sample[]> {
    const { result } = await this.get<{ result: Sample[] }>('query', { query: expression });
    return result;
  }

  async rules(): Promise<Rule[]> {
    const { groups } = await this.get<{ groups: { rules: Rule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  /** How an alert stands. @throws Error when there is none of this name */
  async alertState(alert: string): Promise<Rule['state']> {
    const rule = (await this.rules()).find(({ name }) => name === alert);
    if (!rule) throw new Error(`no alert ${alert}`);
    return rule.state;
  }

  /** Asks the HTTP API. */
  async get<T>(what: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(parameters).toString()}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${what} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }

  async close(): Promise<void> {
    await this.child.stop('SIGTERM');
    await rm(this.directory, { recursive: true, force: true });
  }

  async #ready(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/-/ready`)).ok;
    } catch {
      return false;
    }
  }
}

function writeConfiguration(
  directory: string,
  targets: readonly string[],
  rules: (text: string) => string,
): void {
  const inPlace = readFileSync(`${CONFIGURATION_FOLDER}/prometheus.yml`, 'utf8')
    .replaceAll(/(?<=_interval: )15s/g, '1s')
    .replace("'gateway-1:3000', 'gateway-2:3000'", targets.map((target) => `'${target}'`).join(', '));
  writeFileSync(join(directory, 'prometheus.yml'), inPlace);
  mkdirSync(join(directory, 'rules'));
  for (const name of readdirSync(`${CONFIGURATION_FOLDER}/rules`))
    writeFileSync(
      join(directory, 'rules', name),
      rules(readFileSync(`${CONFIGURATION_FOLDER}/rules/${name}`, 'utf8')),
    );
}
