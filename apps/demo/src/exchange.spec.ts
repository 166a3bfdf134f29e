import { stripVTControlCharacters } from 'node:util';
import { expect, it } from '@jest/globals';
import { formatExchange } from './exchange.js';

it('shows an exchange with selected headers and formatted JSON', () => {
  const headers = new Headers({ 'retry-after': '2', 'x-other': 'hidden' });
  const [request, status, durationMs] = ['DELETE /ingest-tasks/demo-1', '429 Too Many Requests', 3];
  const lines = formatExchange({ request, status, headers, body: '{"code":"quota-exhausted"}', durationMs });
  expect(lines.map(stripVTControlCharacters)).toEqual([
    '→ DELETE /ingest-tasks/demo-1',
    '← 429 Too Many Requests  (3 ms)',
    '  retry-after: 2',
    '  {',
    '    "code": "quota-exhausted"',
    '  }',
  ]);
});
