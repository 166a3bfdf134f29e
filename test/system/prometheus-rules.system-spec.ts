import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { send } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { ReplicaSet } from '../support/replica-set.js';
import { PrometheusProcess, promtool } from '../support/prometheus.js';
import { RedisProcess } from '../support/redis.js';

const RULES = 'docker/prometheus/rules';
const TESTS = 'docker/prometheus/tests';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(readFileSync('docker/grafana/dashboards/ingest-gateway.json', 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
};

const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** Replaces the variables of Grafana. */
const withVariables = (expr: string): string =>
  expr.replaceAll('$job', 'ingest-gateway').replaceAll('$__rate_interval', '1m');

const files = (folder: string): string[] => readdirSync(folder).map((name) => `${folder}/${name}`);

const redis = await RedisProcess.start();
const replicaSet = await ReplicaSet.start(2, { REDIS_URL: redis.url, QUOTA_DEFAULT_WAIT_MS: '100' }, 20);
const prometheus = await PrometheusProcess.start(replicaSet.urls.map((url) => new URL(url).host));
await eventually(async () => (await prometheus.query('up == 1')).length === 2);
replicaSet.sandbox.setFaults([
  { fault: { kind: 'error', code: 'InternalError' }, times: 2 },
  { fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 1 },
]);
await replicaSet.sendAtRate(40, 5, { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
const counted = 'sum(job_result:gateway_stops:rate5m{result=~"stopped|quota-exhausted"} > 0)';
await eventually(async () => (await prometheus.query(counted)).length === 1);
const rules = await prometheus.rules();

afterAll(async () => {
  await prometheus.close();
  await replicaSet.close();
  await redis.close();
});

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
      expect(expectations.map(([, none]) => none)).toEqual(expect.arrayContaining(['', ' []']));
    }
  });
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
    const recorded = rules.filter(({ type }) => type === 'recording');
    expect(recorded.length).toBeGreaterThan(5);
    for (const { name } of recorded) expect([name, await numbers(name)]).toEqual([name, SOME_NUMBERS]);
  });

  it('has data for every panel of the dashboard', async () => {
    expect(queries.length).toBeGreaterThan(30);
    for (const { title, expr } of queries)
      expect([title, await numbers(withVariables(expr))]).toEqual([title, SOME_NUMBERS]);
  });

  it('evaluates the annotations of the dashboard', async () => {
    expect(dashboard.annotations.list.length).toBeGreaterThan(0);
    for (const { expr } of dashboard.annotations.list)
      expect(Array.isArray(await prometheus.query(expr))).toBe(true);
  });

  it('reads at most 20 slots, which the replicas share in Redis', async () => {
    const [slots] = await prometheus.query('max(ingest_gateway_quota_slots{job="ingest-gateway"})');
    expect(Number(slots!.value[1])).toBeGreaterThan(0);
    expect(Number(slots!.value[1])).toBeLessThanOrEqual(20);
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

const SOME_NUMBERS: unknown = expect.arrayContaining([expect.any(Number)]);

/** Evaluates an expression. @returns the values that are numbers */
async function numbers(expression: string): Promise<number[]> {
  const samples = await prometheus.query(expression);
  return samples
    .map(({ value: [, value] }) => Number(value.replace('+Inf', 'Infinity')))
    .filter((n) => !Number.isNaN(n));
}
