import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { PROBLEMS } from '../problems/problem-table.js';

const RESULTS = ['stopped', 'already-finished', ...Object.keys(PROBLEMS)];

/** What became of calls to stop a task. */
@Injectable()
export class Stops {
  readonly #total: Counter<'caller' | 'result'>;

  constructor(registry: Registry) {
    this.#total = new Counter({
      name: 'gateway_stops_total',
      help: 'Calls to stop a task, by caller and result: stopped, already-finished or a problem code.',
      labelNames: ['caller', 'result'],
      registers: [registry],
    });
    for (const result of RESULTS) this.#total.inc({ caller: 'anonymous', result }, 0);
  }

  count(caller: string, result: string): void {
    this.#total.inc({ caller, result });
  }
}
