import { Injectable } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';
import { exemplarOf } from './exemplar.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** How long requests took, from their head to the end of the answer. */
@Injectable()
export class HttpRequests {
  readonly #duration: Histogram<'method' | 'route' | 'status'>;

  constructor(registry: Registry) {
    this.#duration = new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Duration of HTTP requests, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      enableExemplars: true,
      registers: [],
    });
    registry.registerMetric(this.#duration);
  }

  /** Makes the series of an answer visible before the first such answer. */
  expect(method: string, route: string, status: number): void {
    this.#duration.zero({ method, route, status: String(status) });
  }

  /** @param traceId the trace that an exemplar may lead to */
  observe(
    method: string,
    route: string | undefined,
    status: number,
    seconds: number,
    traceId: string | undefined,
  ): void {
    const labels = {
      method: METHODS.has(method) ? method : 'other',
      route: route ?? 'unmatched',
      status: String(status),
    };
    this.#duration.observe({ labels, value: seconds, ...exemplarOf(traceId) });
  }
}
