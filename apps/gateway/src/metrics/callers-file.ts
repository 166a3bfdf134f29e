import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

/** How old the list of callers is, and whether its file could be used. */
@Injectable()
export class CallersFile {
  readonly #failures: Counter;
  readonly #loaded: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#failures = new Counter({
      name: 'callers_reload_failures_total',
      help: 'Times that CALLERS_FILE had changed and could not be used; again each minute while that lasts.',
      registers,
    });
    this.#loaded = new Gauge({
      name: 'callers_loaded_timestamp_seconds',
      help: 'When the callers in force were read; 0 without CALLERS_FILE.',
      registers,
    });
  }

  loaded(): void {
    this.#loaded.setToCurrentTime();
  }

  failed(): void {
    this.#failures.inc();
  }
}
