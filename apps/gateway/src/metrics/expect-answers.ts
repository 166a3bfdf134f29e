import type { INestApplicationContext } from '@nestjs/common';
import { PROBLEMS } from '../problems/problem-table.js';
import { HttpRequests } from './http-requests.js';

/** Makes the usual series of HTTP answers visible from the first scrape on, so that a rate over them is never absent. */
export function expectAnswers(app: INestApplicationContext): void {
  const requests = app.get(HttpRequests);
  const statuses = new Set([200, ...Object.values(PROBLEMS).map(({ status }) => status)]);
  for (const status of statuses) requests.expect('DELETE', '/ingest-tasks/:id', status);
  for (const route of ['/livez', '/readyz', '/metrics']) requests.expect('GET', route, 200);
}
