import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';

const SOURCES = ['in_flight', 'cache'] as const;

/** The source of a result without an upstream call of its own: a call in flight, or the cache of ended tasks. */
export type CoalescingSource = (typeof SOURCES)[number];

/** Stops that needed no upstream call of their own. */
@Injectable()
export class CoalescingMetrics {
  readonly #total: Counter<'source'>;

  constructor(registry: Registry) {
    this.#total = new Counter({
      name: 'ingest_gateway_stop_requests_coalesced_total',
      help: 'Stops that needed no upstream call of their own, by the source of their result.',
      labelNames: ['source'],
      registers: [registry],
    });
    for (const source of SOURCES) this.#total.inc({ source }, 0);
  }

  count(source: CoalescingSource): void {
    this.#total.inc({ source });
  }
}
