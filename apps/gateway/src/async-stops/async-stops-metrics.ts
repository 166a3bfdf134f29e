import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CallerRegistry } from '../auth/caller-registry.js';
import type { PendingStops } from './pending-index.js';
import type { FinishedRecord } from './stop-record.js';

type Result = FinishedRecord['status'];

const RESULTS: readonly Result[] = ['stopped', 'already-finished', 'failed', 'expired'];

/** The backlog, as this replica last saw it in Redis, and the stops that this replica finished. */
@Injectable()
export class AsyncStopsMetrics {
  readonly #pending: Gauge<'caller'>;
  readonly #oldestAge: Gauge;
  readonly #total: Counter<'caller' | 'result'>;
  readonly #duration: Histogram;
  readonly #durable: Gauge;
  #callers: readonly string[] = [];

  constructor(registry: Registry, callers: CallerRegistry) {
    const registers = [registry];
    this.#pending = new Gauge({
      name: 'ingest_gateway_async_stops_pending',
      help: 'Stored stops that have not finished, by caller. Every replica reports the same stops: use max.',
      labelNames: ['caller'],
      registers,
    });
    this.#oldestAge = new Gauge({
      name: 'ingest_gateway_async_stops_oldest_age_seconds',
      help: 'Age of the oldest stored stop that has not finished; 0 if there is none.',
      registers,
    });
    this.#total = new Counter({
      name: 'ingest_gateway_async_stops_total',
      help: 'Stored stops that finished, by caller and result.',
      labelNames: ['caller', 'result'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'ingest_gateway_async_stop_duration_seconds',
      help: 'Time from the acceptance of a stored stop to its end.',
      buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
      registers,
    });
    this.#durable = new Gauge({
      name: 'ingest_gateway_async_stops_redis_durable',
      help: 'Whether Redis has an append-only file and evicts nothing; 0 without REDIS_URL and before the first connection.',
      registers,
    });
    this.#durable.set(0);
    callers.onReload((names) => this.#initSeries(names));
  }

  /** @param now milliseconds of the wall clock */
  observeBacklog(pending: readonly PendingStops[], now: number): void {
    // A caller that is no longer configured keeps its label while it has pending stops.
    this.#pending.reset();
    for (const caller of this.#callers) this.#pending.set({ caller }, 0);
    for (const { caller, count } of pending) this.#pending.set({ caller }, count);
    const ages = pending.filter(({ count }) => count > 0).map(({ oldestCreatedAt }) => now - oldestCreatedAt);
    this.#oldestAge.set(Math.max(0, ...ages) / 1000);
  }

  finished(caller: string, result: Result, durationMs: number): void {
    this.#total.inc({ caller, result });
    this.#duration.observe(Math.max(0, durationMs) / 1000);
  }

  observeDurability(durable: boolean): void {
    this.#durable.set(durable ? 1 : 0);
  }

  #initSeries(callers: readonly string[]): void {
    this.#callers = callers;
    for (const caller of callers) {
      this.#pending.inc({ caller }, 0);
      for (const result of RESULTS) this.#total.inc({ caller, result }, 0);
    }
  }
}
