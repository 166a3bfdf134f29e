import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';
import { CLIENT_CLOSED_REQUEST } from '../http/client-disconnected.error.js';
import { RouteTable } from '../http/route-table.js';
import { STOP_ROUTE } from '../ingest-tasks/stop-request.js';
import { exemplarOf } from '../metrics/exemplar.js';
import { PROBLEMS } from '../problems/problem-table.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The duration of requests, from the end of the request's headers to the end of the response. */
@Injectable()
export class HttpMetrics {
  readonly #duration: Histogram<'method' | 'route' | 'status'>;

  constructor(
    registry: Registry,
    private readonly routes: RouteTable,
  ) {
    this.#duration = new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Duration of HTTP requests, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      // Fine where most calls are. A call may take 38 s: 30 s in the queue, then the deadline of its attempts.
      buckets: [
        0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20,
        40,
      ],
      enableExemplars: true,
      registers: [],
    });
    registry.registerMetric(this.#duration);
  }

  /** Creates the usual series, so that a rate over them is never absent. Call it after all routes are registered. */
  initSeries(): void {
    for (const entry of this.routes.list()) this.#initSeries(entry, statusesOf(entry));
    this.#initSeries('GET unmatched', [404, 405]);
    // Malformed HTTP, whose method is unknown.
    this.#initSeries('other unmatched', [400, 408, 431]);
  }

  /** @param traceId the trace that an exemplar leads to */
  observe(
    method: string | undefined,
    route: string | undefined,
    status: number,
    seconds: number,
    traceId?: string,
  ): void {
    const labels = {
      method: method !== undefined && METHODS.has(method) ? method : 'other',
      route: route ?? 'unmatched',
      status: String(status),
    };
    this.#duration.observe({ labels, value: seconds, ...exemplarOf(traceId) });
  }

  #initSeries(entry: string, statuses: readonly number[]): void {
    const [method = '', route = ''] = entry.split(' ');
    for (const status of statuses) this.#duration.zero({ method, route, status: String(status) });
  }
}

function statusesOf(entry: string): readonly number[] {
  if (entry === `DELETE ${STOP_ROUTE}`)
    return [200, 202, CLIENT_CLOSED_REQUEST, ...Object.values(PROBLEMS).map(({ status }) => status)];
  if (entry === 'GET /readyz') return [200, 503];
  return /^(GET|HEAD) /.test(entry) ? [200] : [];
}
