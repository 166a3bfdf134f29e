import { exchange } from '../exchange.js';
import { readMetrics, type Sample, total } from '../metrics.js';
import { until } from '../poll.js';
import type { Stage } from '../stage.js';
import { expectEqual } from '../surprise.js';
import type { Transcript } from '../transcript.js';

const SHOWN = new Set([
  'gateway_stops_total',
  'quota_decisions_total',
  'quota_slots',
  'stops_coalesced_total',
  'tencentcloud_request_duration_seconds_count',
]);

const EXPECTED_STOPS = {
  stopped: 21,
  'already-finished': 1,
  'task-not-found': 1,
  'invalid-request': 1,
  'quota-exhausted': 10,
};

export async function showMetrics(stage: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('The metrics that matter');
  let samples: Sample[] = [];
  // A call is counted once its answer is on the way, so the last one may be missing for an instant.
  await until(
    'the last call to be counted',
    async () => {
      const { body } = await exchange('GET', stage.gateway, '/metrics', { signal: stage.over });
      samples = readMetrics(body);
      return total(samples, 'gateway_stops_total') >= 34;
    },
    stage.over,
  );

  transcript.request('GET /metrics');
  transcript.lines(samples.filter(({ name, value }) => SHOWN.has(name) && value > 0).map(({ line }) => line));
  for (const [result, count] of Object.entries(EXPECTED_STOPS))
    expectEqual(`gateway_stops_total of ${result}`, total(samples, 'gateway_stops_total', { result }), count);
  transcript.remark(
    'Series that are still zero are there too, from the first scrape; they are left out here.',
  );
}
