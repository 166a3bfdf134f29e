import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Line, type Picture, renderLineCharts } from '../support/line-charts.js';
import { PrometheusProcess } from '../support/prometheus.js';
import { RedisProcess } from '../support/redis.js';
import { ReplicaSet } from '../support/replica-set.js';

/** `PICTURE=docs/images/flood.svg npm run test:system -- overload-graph` renders the picture of the README. */
const PICTURE_PATH = process.env['PICTURE'];

const PHASE_SECONDS = PICTURE_PATH ? 30 : 5;
/** The range of the queries. */
const RANGE_SECONDS = PICTURE_PATH ? 10 : 5;
const NORMAL_LOAD = 8;
const OVERLOAD = 80;

const BLUE = '#0b63c5';
const RED = '#c4320a';
const GREY = '#59636e';

interface Query {
  readonly name: string;
  readonly color: string;
  readonly expression: string;
  readonly factor?: number;
}

interface Figure {
  readonly title: string;
  readonly queries: readonly Query[];
  readonly limit?: number;
}

/** The median of the response time for one status. */
const responseTime = (status: number): string =>
  `histogram_quantile(0.5, sum by (le) (rate(http_server_request_duration_seconds_bucket{method="DELETE",status="${status}"}[${RANGE_SECONDS}s])))`;

const FIGURES: readonly Figure[] = [
  {
    title: 'Calls per second, by result',
    queries: [
      {
        name: 'stopped',
        color: BLUE,
        expression: `sum(rate(ingest_gateway_stop_requests_total{result="stopped"}[${RANGE_SECONDS}s]))`,
      },
      {
        name: 'rejected with 429',
        color: RED,
        expression: `sum(rate(ingest_gateway_stop_requests_total{result=~"quota-exhausted|share-exhausted"}[${RANGE_SECONDS}s]))`,
      },
    ],
  },
  {
    title: 'Requests to Tencent Cloud per second',
    queries: [
      {
        name: 'requests of both replicas',
        color: BLUE,
        expression: `sum(rate(tencentcloud_request_duration_seconds_count[${RANGE_SECONDS}s]))`,
      },
    ],
    limit: 20,
  },
  {
    title: 'Slots in use',
    queries: [
      {
        name: 'slots, which the replicas share',
        color: BLUE,
        expression: 'max(ingest_gateway_quota_slots_in_use)',
      },
    ],
    limit: 20,
  },
  {
    title: 'Response time in milliseconds, median',
    queries: [
      { name: 'stopped', color: BLUE, expression: responseTime(200), factor: 1000 },
      { name: 'rejected with 429', color: RED, expression: responseTime(429), factor: 1000 },
    ],
  },
];

const redis = await RedisProcess.start();
const replicaSet = await ReplicaSet.start(2, { REDIS_URL: redis.url }, 20);
const prometheus = await PrometheusProcess.start(replicaSet.urls.map((url) => new URL(url).host));
await eventually(async () => (await prometheus.query('up == 1')).length === 2);

afterAll(async () => {
  await prometheus.close();
  await replicaSet.close();
  await redis.close();
});

describe('a flood of four times the quota', () => {
  it('is visible in a picture of the data that Prometheus scrapes', async () => {
    await replicaSet.sendAtRate(NORMAL_LOAD, RANGE_SECONDS);
    const startMs = Date.now();
    const seconds = (): number => (Date.now() - startMs) / 1000;
    await replicaSet.sendAtRate(NORMAL_LOAD, PHASE_SECONDS);
    const from = seconds();
    await replicaSet.sendAtRate(OVERLOAD, PHASE_SECONDS);
    const to = seconds();
    await replicaSet.sendAtRate(NORMAL_LOAD, PHASE_SECONDS);
    const end = Math.round(seconds());

    const lineOf = async ({ name, color, expression, factor = 1 }: Query): Promise<Line> => {
      const points = await prometheus.queryRange(expression, startMs / 1000, startMs / 1000 + end, 0.5);
      return {
        name,
        color,
        points: points.map(([time, value]) => [time - startMs / 1000, value * factor] as const),
      };
    };
    const picture: Picture = {
      title: 'Two replicas before, during and after a flood of 80 calls per second',
      xAxisTitle: 'seconds',
      xMax: end,
      highlighted: { name: 'flood', from, to },
      charts: await Promise.all(
        FIGURES.map(async ({ title, queries, limit }) => {
          const lines = await Promise.all(queries.map(lineOf));
          const points = [[0, limit!] as const, [end, limit!] as const];
          const limitLine = { name: `limit: ${limit}`, color: GREY, isDashed: true, points };
          return { title, lines: limit ? [...lines, limitLine] : lines };
        }),
      ),
    };
    const svg = renderLineCharts(picture);
    if (PICTURE_PATH) {
      mkdirSync(dirname(PICTURE_PATH), { recursive: true });
      writeFileSync(PICTURE_PATH, svg);
    }

    const line = (chart: number, n: number): readonly number[] =>
      picture.charts[chart]!.lines[n]!.points.map(([, y]) => y);
    expect(Math.max(...line(0, 0))).toBeGreaterThan(0);
    expect(Math.max(...line(0, 1))).toBeGreaterThan(0);
    expect(Math.max(...line(1, 0))).toBeGreaterThan(0);
    expect(Math.max(...line(2, 0))).toBe(20);
    for (const n of [0, 1]) expect(Math.max(...line(3, n))).toBeGreaterThan(0);
    expect(texts(svg)).toEqual(expect.arrayContaining(WORDS));
  });
});

const WORDS = FIGURES.flatMap(({ title, queries }) => [title, ...queries.map(({ name }) => name)]);

describe('docs/images/flood.svg', () => {
  it('has the titles and the legends of this test', () => {
    expect(texts(readFileSync('docs/images/flood.svg', 'utf8'))).toEqual(expect.arrayContaining(WORDS));
  });
});

/** The texts of an SVG. */
function texts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
}
