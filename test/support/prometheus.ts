import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { Subprocess } from './process.js';
import { type Program, resolveProgram } from './programs.js';
import { createTempFolder, type TempFolder } from './temp-folder.js';

const CONFIGURATION_FOLDER = 'docker/prometheus';
const packages = { packages: ['prometheus'], installHint: 'macOS: brew install prometheus.' };
const PROMETHEUS: Program = { name: 'prometheus', ...packages };
const AMTOOL: Program = {
  name: 'amtool',
  packages: ['prometheus-alertmanager'],
  installHint: 'It is a part of Alertmanager.',
};
const PROMTOOL: Program = { name: 'promtool', ...packages };

const EVALUATION_SECONDS = 1;
/** One series of a query result. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [timestamp: number, value: string];
}

/** What one evaluation of an alert recorded. */
interface Evaluation {
  /** The labels, without the state. */
  readonly series: string;
  /** In seconds since 1970. */
  readonly time: number;
  readonly value: number;
}

export interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Set for alerts. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** Runs promtool and returns its output. @throws Error with its output when it finds an error */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync(resolveProgram(PROMTOOL), args, { input, encoding: 'utf8', stdio: 'pipe' });
}

/** Runs amtool and returns its output. @throws Error with its output when it finds an error */
export function amtool(args: readonly string[]): string {
  return execFileSync(resolveProgram(AMTOOL), args, { encoding: 'utf8', stdio: 'pipe' });
}

/** A Prometheus server with the configuration and the rules of docker/prometheus; it scrapes twice a second. */
export class PrometheusProcess {
  private constructor(
    private readonly child: Subprocess,
    private readonly folder: TempFolder,
    readonly url: string,
  ) {}

  /**
   * @param targets `host:port` of each replica; they replace the targets of the configuration
   * @param changeRules changes the text of each rules file
   */
  static async start(
    targets: readonly string[],
    changeRules: (text: string) => string = (text) => text,
  ): Promise<PrometheusProcess> {
    const folder = await createTempFolder();
    writeConfiguration(folder.path, targets, changeRules);
    const port = await freePort();
    const child = new Subprocess(
      [
        resolveProgram(PROMETHEUS),
        `--config.file=${folder.path}/prometheus.yml`,
        `--storage.tsdb.path=${folder.path}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
        '--log.level=error',
      ],
      { stdout: 'ignore', stderr: 'inherit' },
    );
    const prometheus = new PrometheusProcess(child, folder, `http://127.0.0.1:${port}`);
    while (!(await prometheus.#isReady())) {
      if (child.hasExited) throw new Error('prometheus exited');
      await sleep(50);
    }
    return prometheus;
  }

  /** Evaluates an expression now: one sample for each series. @throws Error when the expression is invalid */
  async query(expression: string): Promise<Sample[]> {
    const { result } = await this.get<{ result: Sample[] }>('query', { query: expression });
    return result;
  }

  /**
   * Evaluates an expression of one series at every step. NaN is left out.
   *
   * @param start in seconds since 1970, as is `end`
   * @throws Error when the expression is invalid or has several series
   */
  async queryRange(
    expression: string,
    start: number,
    end: number,
    stepSeconds: number,
  ): Promise<(readonly [time: number, value: number])[]> {
    const { result } = await this.get<{ result: { values: [number, string][] }[] }>('query_range', {
      query: expression,
      start: String(start),
      end: String(end),
      step: String(stepSeconds),
    });
    if (result.length > 1) throw new Error(`${expression} has ${result.length} series`);
    const values = result[0]?.values ?? [];
    return values.map(([time, value]) => [time, Number(value)] as const).filter(([, n]) => !Number.isNaN(n));
  }

  async rules(): Promise<Rule[]> {
    const { groups } = await this.get<{ groups: { rules: Rule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  /** @throws Error when no alert has this name */
  async alertState(alert: string): Promise<Rule['state']> {
    const rule = (await this.rules()).find(({ name }) => name === alert);
    if (!rule) throw new Error(`no alert ${alert}`);
    return rule.state;
  }

  /**
   * Waits until an alert fires, and checks with the recorded evaluations when it did: not before it was pending for its
   * `for`, and at the first evaluation after that.
   *
   * @param forSeconds the expected `for`
   * @param startSeconds when the incident began, in seconds since 1970
   * @throws Error when the alert does not fire, or at another time
   */
  async waitUntilFiring(
    alert: string,
    forSeconds: number,
    startSeconds: number,
    timeoutMs: number,
  ): Promise<void> {
    await eventually(async () => (await this.alertState(alert)) === 'firing', timeoutMs);
    // The state is visible before the samples of the evaluation are.
    let firing: Evaluation[] = [];
    await eventually(async () => {
      firing = await this.#evaluations(`ALERTS{alertname="${alert}", alertstate="firing"}`, startSeconds);
      return firing.length > 0;
    });
    const [{ series, time }] = firing as [Evaluation];
    const ofSeries = (evaluation: Evaluation): boolean => evaluation.series === series;
    const states = await this.#evaluations(`ALERTS_FOR_STATE{alertname="${alert}"}`, startSeconds);
    // Since when the alert has been pending, in seconds since 1970.
    const pendingSince = states.filter(ofSeries).find((state) => state.time === time)!.value;
    const pending = await this.#evaluations(
      `ALERTS{alertname="${alert}", alertstate="pending"}`,
      pendingSince - EVALUATION_SECONDS / 2,
    );
    const evaluations = pending.filter(ofSeries).filter((state) => state.time < time).length;
    // Evaluations may be late on a busy machine, so they are counted.
    if (time - pendingSince < forSeconds - 0.5 || evaluations > forSeconds / EVALUATION_SECONDS + 1)
      throw new Error(
        `${alert} was pending for ${time - pendingSince} s and ${evaluations} evaluations, not ${forSeconds} s`,
      );
  }

  /** The recorded evaluations of an alert, in order. */
  async #evaluations(selector: string, sinceSeconds: number): Promise<Evaluation[]> {
    const { result } = await this.get<{
      result: { metric: Record<string, string>; values: [number, string][] }[];
    }>('query', { query: `${selector}[10m]` });
    return result
      .flatMap(({ metric: { __name__: _name, alertstate: _state, ...labels }, values }) =>
        values.map(([time, value]) => ({ series: JSON.stringify(labels), time, value: Number(value) })),
      )
      .filter(({ time }) => time >= sinceSeconds)
      .toSorted((a, b) => a.time - b.time);
  }

  /** Calls the HTTP API. @param path below `/api/v1/` */
  async get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }

  async close(): Promise<void> {
    await this.child.stop('SIGTERM');
    await this.folder.remove();
  }

  async #isReady(): Promise<boolean> {
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
  changeRules: (text: string) => string,
): void {
  const configuration = readFileSync(`${CONFIGURATION_FOLDER}/prometheus.yml`, 'utf8')
    .replace('scrape_interval: 15s', 'scrape_interval: 500ms')
    .replace('evaluation_interval: 15s', `evaluation_interval: ${EVALUATION_SECONDS}s`)
    .replace("'gateway-1:3000', 'gateway-2:3000'", targets.map((target) => `'${target}'`).join(', '));
  writeFileSync(join(directory, 'prometheus.yml'), configuration);
  mkdirSync(join(directory, 'rules'));
  for (const name of readdirSync(`${CONFIGURATION_FOLDER}/rules`))
    writeFileSync(
      join(directory, 'rules', name),
      changeRules(readFileSync(`${CONFIGURATION_FOLDER}/rules/${name}`, 'utf8')),
    );
}

const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 };

/**
 * Makes the rules of docker/prometheus/rules sixty times as fast: each range (`[5m]`), step (`[3d:1h]`) and duration
 * (`for: 5m`) gets seconds in place of minutes. Everything else, such as thresholds, stays the same.
 */
export function accelerateRules(rules: string): string {
  return rules.replaceAll(
    /(?<=\[|\[\d+[mhd]:|for: )(\d+)([mhd])(?=\]|:\d+[mhd]\]|$)/gm,
    (_, n: string, unit: string) => `${Number(n) * MINUTES[unit]!}s`,
  );
}
