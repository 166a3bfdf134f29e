import { expect, it } from '@jest/globals';
import { readMetrics, total } from './metrics.js';

const TEXT = `# HELP gateway_stops_total Calls to stop a task.
# TYPE gateway_stops_total counter
gateway_stops_total{caller="a",result="stopped"} 3
gateway_stops_total{caller="b",result="stopped"} 4
gateway_stops_total{caller="b",result="task-not-found"} 1

quota_slots 20
`;

it('reads the samples of the text format', () => {
  expect(readMetrics(TEXT)).toHaveLength(4);
  expect(readMetrics(TEXT)[0]).toEqual({
    line: 'gateway_stops_total{caller="a",result="stopped"} 3',
    name: 'gateway_stops_total',
    labels: { caller: 'a', result: 'stopped' },
    value: 3,
  });
});

it('adds up the series that have the labels asked for', () => {
  const samples = readMetrics(TEXT);
  expect(total(samples, 'gateway_stops_total', { result: 'stopped' })).toBe(7);
  expect(total(samples, 'gateway_stops_total')).toBe(8);
  expect(total(samples, 'quota_slots')).toBe(20);
  expect(total(samples, 'no_such_metric')).toBe(0);
});
