import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { METRICS } from '../../contract/metrics.js';
import { callerEntry } from '../../support/callers-file.js';
import { createTempFolder } from '../../support/temp-folder.js';
import { send, stopTask } from '../../support/client.js';
import { startGateway } from '../../support/gateway.js';
import { gatewayFixture } from '../../support/fixtures.js';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const { sandbox, gateway } = await gatewayFixture({ acceptUnknownTasks: true }, { QUOTA_PER_SECOND: '5' });

const scrape = (accept?: string) =>
  send(gateway.url, '/metrics', { method: 'GET', ...(accept && { headers: { accept } }) });

/** Returns names and labels without values, sorted. */
const series = (text: string) =>
  [...text.matchAll(/^([a-z_]+(?:\{.*?\})?) [^ ]+(?: #.*)?$/gm)].map(([, name]) => name!).toSorted();

const traced = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };

const sendUnknownRequests = (n: number) =>
  Promise.all([
    send(gateway.url, `/unknown-${n}`, { method: 'PROPFIND' }),
    send(gateway.url, `/unknown-${n}`, { method: 'LOCK' }),
    stopTask(gateway.url, `unknown-${n}`, `?unknown-${n}=1`),
  ]);

/** Returns type and labels of every metric that has a series. */
function metricsOf(text: string): Record<string, { type: string; labels: Record<string, Set<string>> }> {
  const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name!, type!]));
  const metrics: ReturnType<typeof metricsOf> = {};
  for (const [, sample = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? [^ ]+$/gm)) {
    const name = types.has(sample) ? sample : sample.replace(/_(bucket|sum|count)$/, '');
    const metric = (metrics[name] ??= { type: types.get(name)!, labels: {} });
    for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g))
      (metric.labels[label!] ??= new Set()).add(value!);
  }
  return metrics;
}

describe('the first scrape', () => {
  it('has exactly the metrics of the contract, with their labels and label values', async () => {
    const newGateway = await startGateway(sandbox);
    const { text } = await send(newGateway.url, '/metrics', { method: 'GET' });
    await newGateway.close();
    const own = Object.entries(metricsOf(text)).filter(([name]) => !/^(process|nodejs)_/.test(name));
    const expected = Object.entries(METRICS).map(([name, { type, labels }]) => [
      name,
      {
        type,
        labels: Object.fromEntries(Object.entries(labels).map(([label, values]) => [label, new Set(values)])),
      },
    ]);
    expect(Object.fromEntries(own)).toEqual(Object.fromEntries(expected));
  });

  it('has the names of CALLERS_FILE and "unknown" in place of "anonymous"', async () => {
    const folder = await createTempFolder();
    const file = join(folder.path, 'callers.json');
    await writeFile(
      file,
      JSON.stringify([callerEntry('room-service', 'a key'), callerEntry('studio', 'another key')]),
    );
    const newGateway = await startGateway(sandbox, { ALLOW_ANONYMOUS: '', CALLERS_FILE: file });
    const { text } = await send(newGateway.url, '/metrics', { method: 'GET' });
    await newGateway.close();
    await folder.remove();
    expect(metricsOf(text)['ingest_gateway_stop_requests_total']!.labels['caller']).toEqual(
      new Set(['room-service', 'studio', 'unknown']),
    );
  });
});

describe('a scrape', () => {
  it('has the same series before and after every kind of call', async () => {
    const before = series((await scrape()).text);
    expect(before.length).toBeGreaterThan(500);
    sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'failing' },
      { fault: { kind: 'error', code: 'UnknownCode.Undocumented' }, times: 1, taskId: 'unknown-code' },
      { fault: { kind: 'error', code: 'AuthFailure.SecretIdNotFound' }, times: 1, taskId: 'rejected' },
    ]);
    for (const task of ['a', 'a', 'failing', 'unknown-code', 'rejected'])
      await stopTask(gateway.url, task, '', { ...traced, prefer: 'wait=20' });
    await Promise.all(Array.from({ length: 20 }, (_, n) => stopTask(gateway.url, `burst-${n}`)));
    await stopTask(gateway.url, 'a', '?region=nowhere');
    for (const path of ['/livez', '/readyz', '/nowhere', '/ingest-tasks/a'])
      await send(gateway.url, path, { method: 'GET' });
    expect(series((await scrape()).text)).toEqual(before);
  });

  it('gets no new series from unknown paths, methods and tasks', async () => {
    await sendUnknownRequests(0);
    const before = series((await scrape()).text);
    for (let n = 1; n < 30; n += 1) await sendUnknownRequests(n);
    expect(series((await scrape()).text)).toEqual(before);
  });
});

describe('OpenMetrics', () => {
  it('is the response to Prometheus, and text 0.0.4 is the response to other clients', async () => {
    const prometheus =
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    expect((await scrape(prometheus)).headers).toMatchObject({
      'content-type': OPEN_METRICS,
      vary: 'accept',
      'cache-control': 'no-store',
    });
    for (const accept of [undefined, '*/*', 'text/plain', 'text/html,*/*;q=0.8', 'application/json'])
      expect((await scrape(accept)).headers['content-type']).toBe(TEXT);
  });

  it('has exemplars with the trace id of a call', async () => {
    await stopTask(gateway.url, 'traced', '', { ...traced, prefer: 'wait=20' });
    const { text } = await scrape(OPEN_METRICS);
    const exemplar = String.raw`\d+ # \{trace_id="${TRACE}"\} [\d.e-]+ \d{10}\.?\d*$`;
    expect(text).toMatch(
      new RegExp(
        String.raw`^http_server_request_duration_seconds_bucket\{.*status="200".*\} ${exemplar}`,
        'm',
      ),
    );
    expect(text).toMatch(
      new RegExp(String.raw`^ingest_gateway_stop_requests_total\{.*result="stopped"\} ${exemplar}`, 'm'),
    );
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it('has the same series as the text format, which has no exemplars, in any order of requests', async () => {
    const [before, open, after, both] = [
      await scrape(),
      await scrape(OPEN_METRICS),
      await scrape(),
      await Promise.all([scrape(OPEN_METRICS), scrape()]),
    ];
    expect(before.text).not.toContain('trace_id');
    expect(series(open.text)).toEqual(series(before.text));
    expect(series(after.text)).toEqual(series(before.text));
    expect(both.map(({ headers }) => headers['content-type'])).toEqual([OPEN_METRICS, TEXT]);
    expect(both.map(({ text }) => text.includes('# EOF'))).toEqual([true, false]);
  });

  it('ignores an invalid traceparent', async () => {
    const forged = '00-"} 1 # {a="b"}';
    await stopTask(gateway.url, 'forged', '', { traceparent: forged, prefer: 'wait=20' });
    expect((await scrape(OPEN_METRICS)).text).not.toContain('a="b"');
  });
});

describe('docs/operations.md', () => {
  const documented = readFileSync('docs/operations.md', 'utf8');

  it('lists every metric', () => {
    const undocumented = Object.keys(METRICS).filter((name) => !documented.includes(`\`${name}\``));
    expect(undocumented).toEqual([]);
  });

  it('names the alert of each event with level warn or above', () => {
    const sources = globSync('apps/gateway/src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
    const events = sources.flatMap((source) =>
      [...source.matchAll(/\.(?:warn|error|fatal)\(\s*\{[^}]*event: '([\w-]+)'/g)].map(([, event]) => event!),
    );
    expect(events).toContain('quota-redis-disconnected');
    const [, alerts = ''] = /## Alerts(.*)## Metrics/s.exec(documented)!;
    const named = new Set(Array.from(alerts.matchAll(/`([\w-]+)`/g), ([, name]) => name));
    expect(events.filter((event) => !named.has(event))).toEqual([]);
  });
});
