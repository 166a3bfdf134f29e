import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startChromium } from '../support/chromium.js';
import { eventually } from '../support/eventually.js';
import { ReplicaSet } from '../support/replica-set.js';
import { PrometheusProcess } from '../support/prometheus.js';
import { RedisProcess } from '../support/redis.js';
import { tempFolderFixture } from '../support/fixtures.js';

/**
 * `PICTURE=docs/images/flood.png npm run test:system -- overload-graph` updates the picture of the documentation, with
 * a longer flood.
 */
const SCREENSHOT_PATH = process.env['PICTURE'];

const PHASE_SECONDS = SCREENSHOT_PATH ? 15 : 5;
const NORMAL_LOAD = 8;
const OVERLOAD = 80;

const QUERIES = [
  'sum by (result) (rate(ingest_gateway_stop_requests_total[10s])) > 0',
  'max(ingest_gateway_quota_slots_in_use)',
  'sum by (code) (rate(tencentcloud_request_duration_seconds_count[10s])) > 0',
  'histogram_quantile(0.95, sum by (le, status) (rate(http_server_request_duration_seconds_bucket{method="DELETE",status=~"200|429"}[10s])))',
];

/** Two graphs in a row, without controls. */
const STYLE = `
  body { padding: 12px !important; overflow: hidden; }
  #graph_container { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 24px; }
  #graph_container > :not(.graph_wrapper), #add_graph, nav, .execute_btn, select, [name=remove], .nav-tabs, .eval_stats, .spinner,
  .prometheus_input_group { display: none !important; }
  .col-lg-10 { flex: 1 1 auto; max-width: 100%; }
  .expression_input { height: 60px !important; padding: 4px 8px; font: 12px monospace !important; resize: none; }
  .graph { min-height: 220px !important; }
`;

const folder = await tempFolderFixture();
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
  it('is visible in the graphs of Prometheus', async () => {
    const start = performance.now();
    for (const perSecond of [NORMAL_LOAD, OVERLOAD, NORMAL_LOAD])
      await replicaSet.sendAtRate(perSecond, PHASE_SECONDS);
    const seconds = Math.ceil((performance.now() - start) / 1000);

    const browser = await startChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 1100, height: 600 } });
      await page.addInitScript({
        content: `addEventListener('DOMContentLoaded', () => {
          document.head.append(Object.assign(document.createElement('style'), { textContent: ${JSON.stringify(STYLE)} }));
        })`,
      });
      const query = new URLSearchParams();
      for (const [n, expression] of QUERIES.entries()) {
        query.set(`g${n}.expr`, expression);
        query.set(`g${n}.tab`, '0');
        query.set(`g${n}.range_input`, `${seconds}s`);
        query.set(`g${n}.step_input`, '1');
      }
      await page.goto(`${prometheus.url}/classic/graph?${query.toString()}`);
      await eventually(async () => (await page.locator('.graph_area svg path').count()) >= QUERIES.length);
      const path = SCREENSHOT_PATH ?? join(folder, 'flood.png');
      mkdirSync(dirname(path), { recursive: true });
      const picture = await page.screenshot({ path, fullPage: true });
      expect(picture.length).toBeGreaterThan(10_000);
    } finally {
      await browser.close();
    }
  });
});
