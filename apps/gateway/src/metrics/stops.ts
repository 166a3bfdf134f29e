import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { exemplarOf } from './exemplar.js';
import { PROBLEMS } from '../problems/problem-table.js';

const RESULTS = ['stopped', 'already-finished', ...Object.keys(PROBLEMS)];

/** Beyond so many callers only their successes are there before the first call: a scrape would grow to megabytes. */
const MANY_CALLERS = 200;

/** What became of calls to stop a task. */
@Injectable()
export class Stops {
  readonly #total: Counter<'caller' | 'result'>;

  constructor(registry: Registry) {
    this.#total = new Counter({
      name: 'gateway_stops_total',
      help: 'Calls to stop a task, by caller and result: stopped, already-finished or a problem code.',
      labelNames: ['caller', 'result'],
      enableExemplars: true,
      registers: [],
    });
    registry.registerMetric(this.#total);
  }

  /** Makes the series of these callers visible before their first call. */
  expectFrom(callers: readonly string[]): void {
    const results = callers.length > MANY_CALLERS ? ['stopped'] : RESULTS;
    for (const caller of callers)
      for (const result of results) this.#total.inc({ labels: { caller, result }, value: 0 });
  }

  /** @param traceId the trace that an exemplar may lead to */
  count(caller: string, result: string, traceId: string | undefined): void {
    this.#total.inc({ labels: { caller, result }, value: 1, ...exemplarOf(traceId) });
  }
}
