import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

/** Loads of CALLERS_FILE. */
@Injectable()
export class CallerRegistryMetrics {
  readonly #failures: Counter;
  readonly #lastSuccess: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#failures = new Counter({
      name: 'ingest_gateway_callers_reload_failures_total',
      help: 'Failed reloads of CALLERS_FILE; counted again each minute while it stays invalid.',
      registers,
    });
    this.#lastSuccess = new Gauge({
      name: 'ingest_gateway_callers_last_reload_success_timestamp_seconds',
      help: 'When the callers in use were loaded; 0 without CALLERS_FILE.',
      registers,
    });
  }

  reloaded(): void {
    this.#lastSuccess.setToCurrentTime();
  }

  reloadFailed(): void {
    this.#failures.inc();
  }
}
