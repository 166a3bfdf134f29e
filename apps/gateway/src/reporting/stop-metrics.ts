import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { CallerRegistry } from '../auth/caller-registry.js';
import { exemplarOf } from '../metrics/exemplar.js';
import { PROBLEMS } from '../problems/problem-table.js';

const RESULTS = ['stopped', 'already-finished', 'accepted', ...Object.keys(PROBLEMS)];

/** With more callers, only their `stopped` series exist before the first call: a scrape would grow to megabytes. */
const MAX_PREINITIALIZED_CALLERS = 200;

/** The results of stops. */
@Injectable()
export class StopMetrics {
  readonly #total: Counter<'caller' | 'result'>;

  constructor(registry: Registry, callers: CallerRegistry) {
    this.#total = new Counter({
      name: 'ingest_gateway_stop_requests_total',
      help: 'Stops, by caller and result: stopped, already-finished, accepted or a problem code.',
      labelNames: ['caller', 'result'],
      enableExemplars: true,
      registers: [],
    });
    registry.registerMetric(this.#total);
    callers.onReload((names) => this.#initSeries(names));
  }

  /** @param traceId the trace that an exemplar leads to */
  count(caller: string, result: string, traceId: string | undefined): void {
    this.#total.inc({ labels: { caller, result }, value: 1, ...exemplarOf(traceId) });
  }

  #initSeries(callers: readonly string[]): void {
    const results = callers.length > MAX_PREINITIALIZED_CALLERS ? ['stopped'] : RESULTS;
    for (const caller of callers)
      for (const result of results) this.#total.inc({ labels: { caller, result }, value: 0 });
  }
}
