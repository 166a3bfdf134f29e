import type { INestApplicationContext } from '@nestjs/common';
import { CLIENT_CLOSED_REQUEST } from '../problems/caller-left.js';
import { PROBLEMS } from '../problems/problem-table.js';
import { Routes } from '../routes.js';
import { HttpRequests } from './http-requests.js';

const STOP = 'DELETE /ingest-tasks/:id';
const READINESS = 'GET /readyz';
const STOP_STATUSES = [200, CLIENT_CLOSED_REQUEST, ...Object.values(PROBLEMS).map(({ status }) => status)];

/** Makes the usual series of HTTP answers visible from the first scrape on, so that a rate over them is never absent. */
export function expectAnswers(app: INestApplicationContext): void {
  const requests = app.get(HttpRequests);
  for (const each of app.get(Routes).list()) {
    const [method = '', route = ''] = each.split(' ');
    for (const status of statusesOf(each)) requests.expect(method, route, status);
  }
  for (const status of [404, 405]) requests.expect('GET', 'unmatched', status);
  // Malformed HTTP, whose method is unknown.
  for (const status of [400, 408, 431]) requests.expect('other', 'unmatched', status);
}

function statusesOf(route: string): ReadonlySet<number> {
  if (route === STOP) return new Set(STOP_STATUSES);
  if (route === READINESS) return new Set([200, 503]);
  return new Set(/^(GET|HEAD) /.test(route) ? [200] : []);
}
