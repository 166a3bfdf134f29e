import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { send } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { ReplicaSet } from '../support/replica-set.js';
import { amtool, PrometheusProcess, promtool } from '../support/prometheus.js';
import { RedisProcess } from '../support/redis.js';
import { tempFolderFixture } from '../support/fixtures.js';

const RULES = 'docker/prometheus/rules';
const TESTS = 'docker/prometheus/tests';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync('docker/grafana/dashboards/ingest-gateway.json', 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
};

const panels = dashboard.panels.filter(({ targets }) => targets);
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

/** Replaces the variables of Grafana. */
const withVariables = (expr: string): string =>
  expr.replaceAll('$job', 'ingest-gateway').replaceAll('$__rate_interval', '5m');

const files = (folder: string): string[] => readdirSync(folder).map((name) => `${folder}/${name}`);

const folder = await tempFolderFixture();
const redis = await RedisProcess.start();
const replicaSet = await ReplicaSet.start(2, { REDIS_URL: redis.url, QUOTA_DEFAULT_WAIT_MS: '100' }, 20);
const prometheus = await PrometheusProcess.start(replicaSet.urls.map((url) => new URL(url).host));
await eventually(async () => (await prometheus.query('up == 1')).length === 2);
replicaSet.sandbox.setFaults([
  { fault: { kind: 'error', code: 'InternalError' }, times: 2 },
  { fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 1 },
]);
await replicaSet.sendAtRate(40, 5, { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
const counted = 'sum(job_result:ingest_gateway_stops:rate5m{result=~"stopped|quota-exhausted"} > 0)';
await eventually(async () => (await prometheus.query(counted)).length === 1);
const rules = await prometheus.rules();

afterAll(async () => {
  await prometheus.close();
  await replicaSet.close();
  await redis.close();
});

describe('a Prometheus that scrapes two replicas', () => {
  it('reads OpenMetrics from both without an error', async () => {
    const { activeTargets } = await prometheus.get<{
      activeTargets: { health: string; lastError: string }[];
    }>('targets');
    expect(activeTargets).toEqual([
      expect.objectContaining({ health: 'up', lastError: '' }),
      expect.objectContaining({ health: 'up', lastError: '' }),
    ]);
  });

  it('has exemplars with the trace id of a call', async () => {
    const found = await prometheus.get<{ exemplars: { labels: { trace_id: string } }[] }[]>(
      'query_exemplars',
      {
        query: 'http_server_request_duration_seconds_bucket{method="DELETE"}',
        start: String(Date.now() / 1000 - 600),
        end: String(Date.now() / 1000 + 600),
      },
    );
    const traces = new Set(found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id)));
    expect(traces).toEqual(new Set([TRACE]));
  });

  it('evaluates every rule, and has data for every recording rule', async () => {
    expect(rules.filter(({ health, lastError }) => health !== 'ok' || lastError)).toEqual([]);
    // Rules over days have no data in the first hour.
    const recorded = rules.filter(({ type, name }) => type === 'recording' && !name.endsWith('3d'));
    expect(recorded.length).toBeGreaterThan(5);
    for (const { name } of recorded) expect([name, await numbers(name)]).toEqual([name, SOME_NUMBERS]);
  });

  it('has data for every panel of the dashboard', async () => {
    expect(queries.length).toBeGreaterThan(30);
    for (const { title, expr } of queries)
      expect([title, await numbers(withVariables(expr))]).toEqual([title, SOME_NUMBERS]);
  });

  it('has one series for each value of a panel, with a legend of its own', async () => {
    for (const { title, type, targets = [] } of panels) {
      const legends: string[] = [];
      for (const { expr, legendFormat } of targets)
        for (const { metric } of await prometheus.query(withVariables(expr)))
          legends.push(legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''));
      const isSingle = type === 'stat' && title !== 'Builds';
      expect([title, legends.length]).toEqual([title, isSingle ? 1 : new Set(legends).size]);
    }
  });

  it('evaluates the annotations of the dashboard', async () => {
    expect(dashboard.annotations.list.length).toBeGreaterThan(0);
    for (const { expr } of dashboard.annotations.list)
      expect(Array.isArray(await prometheus.query(withVariables(expr)))).toBe(true);
  });

  it('reads at most 20 slots, which the replicas share in Redis', async () => {
    const [slots] = await prometheus.query('max(ingest_gateway_quota_slots{job="ingest-gateway"})');
    expect(Number(slots!.value[1])).toBeGreaterThan(0);
    expect(Number(slots!.value[1])).toBeLessThanOrEqual(20);
  });
});

// After the tests of data, because it takes long.
describe('promtool', () => {
  it('finds no error in the configuration and the rules', () => {
    expect(promtool(['check', 'config', 'docker/prometheus/prometheus.yml'])).toContain('SUCCESS');
    expect(promtool(['check', 'rules', '--lint=all', '--lint-fatal', ...files(RULES)])).toContain('SUCCESS');
  });

  it('finds no error in the metrics, before and after traffic', async () => {
    const { text } = await send(replicaSet.urls[0]!, '/metrics', { method: 'GET' });
    expect(promtool(['check', 'metrics'], text)).toBe('');
    await replicaSet.addReplica();
    const { text: beforeTraffic } = await send(replicaSet.urls[2]!, '/metrics', { method: 'GET' });
    expect(promtool(['check', 'metrics'], beforeTraffic)).toBe('');
  });

  it('passes the tests of the rules, in which every alert fires and does not fire', () => {
    expect(promtool(['test', 'rules', ...files(TESTS)])).not.toContain('FAILED');
    const tests = files(TESTS)
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const alerts = rules.filter(({ type }) => type === 'alerting');
    expect(alerts.length).toBeGreaterThan(10);
    for (const { name } of alerts) {
      const expectations = [...tests.matchAll(new RegExp(`alertname: ${name}\\n +exp_alerts:(.*)$`, 'gm'))];
      expect([name, ...expectations.map(([, none]) => none)]).toEqual(expect.arrayContaining(['', ' []']));
    }
  });

  it('passes the tests without an alert when another job has the same metrics', () => {
    // IngestGatewayDown fires when the metrics of this job are missing.
    const otherJobs = files(TESTS).map((file) => {
      const { rule_files, tests, ...rest } = parse(
        readFileSync(file, 'utf8').replaceAll('job="ingest-gateway"', 'job="another-service"'),
      ) as {
        rule_files: string[];
        tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
      };
      const silent = tests
        .map((test) => ({
          ...test,
          alert_rule_test: test.alert_rule_test
            .filter(
              ({ alertname, exp_alerts: { length } }) => alertname !== 'IngestGatewayDown' && length > 0,
            )
            .map((expectation) => ({ ...expectation, exp_alerts: [] })),
        }))
        .filter((test) => test.alert_rule_test.length > 0);
      const path = join(folder, basename(file));
      const absolute = rule_files.map((name) => resolve(TESTS, name));
      writeFileSync(path, stringify({ ...rest, rule_files: absolute, tests: silent }));
      return path;
    });
    expect(promtool(['test', 'rules', ...otherJobs])).not.toContain('FAILED');
  });
});

describe('every alert', () => {
  it('has a severity, a description, and a link to its runbook', () => {
    const headings = new Set(
      [...readFileSync('docs/operations.md', 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
        text!.toLowerCase().replaceAll(' ', '-'),
      ),
    );
    for (const { name, labels, annotations } of rules.filter(({ type }) => type === 'alerting')) {
      expect(['critical', 'warning']).toContain(labels['severity']);
      expect(annotations['summary']).toMatch(/^[A-Z]/);
      expect(annotations['description']).toMatch(/\.$/);
      expect(annotations['runbook_url']).toBe(`docs/operations.md#${name.toLowerCase()}`);
      expect(headings).toContain(name.toLowerCase());
    }
  });
});

describe('docker/prometheus/alertmanager.yml', () => {
  const { inhibit_rules: inhibitRules } = parse(
    readFileSync('docker/prometheus/alertmanager.yml', 'utf8'),
  ) as { inhibit_rules: Record<'source_matchers' | 'target_matchers', string[]>[] };
  const alerts = rules.filter(({ type }) => type === 'alerting').map(({ name }) => name);

  /** The alerts that all matchers select, in the order of the rules. */
  const select = (matchers: readonly string[]): string[] =>
    alerts.filter((name) =>
      matchers.every((matcher) => {
        const [, operator = '', pattern = ''] = /^alertname(=~|!=|=)"(.+)"$/.exec(matcher)!;
        return operator === '!=' ? name !== pattern : new RegExp(`^(?:${pattern})$`).test(name);
      }),
    );

  const file = 'docker/prometheus/alertmanager.yml';

  it('has no error that amtool finds', () => {
    expect(amtool(['check-config', file])).toContain('SUCCESS');
  });

  it.each([
    ['critical', 'on-call'],
    ['warning', 'working-hours'],
  ])('sends an alert with the severity %s to the receiver %s', (severity, receiver) => {
    const routed = amtool(['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`]);
    expect(routed.trim()).toBe(receiver);
  });

  it('names alerts that exist, and suppresses an alert only for one that stands above it in the rules', () => {
    expect(inhibitRules.length).toBeGreaterThan(3);
    for (const { source_matchers: source, target_matchers: target } of inhibitRules) {
      const names = [...source, ...target].flatMap((matcher) => {
        const [, list = ''] = /IngestGateway\((.+)\)/.exec(matcher) ?? [];
        return list.split('|').filter(Boolean);
      });
      expect(alerts).toEqual(expect.arrayContaining(names.map((name) => `IngestGateway${name}`)));
      const [causes, symptoms] = [select(source), select(target)];
      expect(causes).not.toEqual([]);
      expect(symptoms).not.toEqual([]);
      for (const symptom of symptoms)
        for (const cause of causes) expect(alerts.indexOf(cause)).toBeLessThan(alerts.indexOf(symptom));
    }
  });
});

describe('the table of alerts in docs/operations.md', () => {
  it('has every alert with its severity, in the order of the rules', () => {
    const document = readFileSync('docs/operations.md', 'utf8');
    const rows = [...document.matchAll(/^\| \[(IngestGateway\w+)\]\(\S+\) +\| (\w+) /gm)];
    expect(rows.map(([, name, severity]) => [name, severity])).toEqual(
      rules.filter(({ type }) => type === 'alerting').map(({ name, labels }) => [name, labels['severity']]),
    );
  });
});

const SOME_NUMBERS: unknown = expect.arrayContaining([expect.any(Number)]);

/** Evaluates an expression. @returns the values that are numbers */
async function numbers(expression: string): Promise<number[]> {
  const samples = await prometheus.query(expression);
  return samples
    .map(({ value: [, value] }) => Number(value.replace('+Inf', 'Infinity')))
    .filter((n) => !Number.isNaN(n));
}
