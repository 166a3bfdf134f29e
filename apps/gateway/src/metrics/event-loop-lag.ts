import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';

const INTERVAL_MS = 20;

/**
 * How late a timer fires that is due every 20 ms. The lag gauges of prom-client start again at each scrape, so that
 * two Prometheus servers would each see a part of the lag.
 */
@Injectable()
export class EventLoopLag implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #lag: Histogram;
  #timer?: NodeJS.Timeout;

  constructor(registry: Registry) {
    this.#lag = new Histogram({
      name: 'ingest_gateway_event_loop_lag_seconds',
      help: 'How late a timer fires that is due every 20 ms.',
      buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5],
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#lag.observe(Math.max(0, now - last - INTERVAL_MS) / 1000);
      last = now;
    }, INTERVAL_MS);
    this.#timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }
}
