import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Gauge, Registry } from 'prom-client';

/** Somebody who writes to Redis cannot fill the log. */
const LOG_INTERVAL_MS = 60_000;

/** The state of the feed of ended tasks. */
@Injectable()
export class EndedTaskFeedMetrics {
  #isConnected = (): boolean => true;
  #invalidEntries = 0;
  #logAgainAt = 0;

  constructor(
    registry: Registry,
    private readonly logger: PinoLogger,
  ) {
    const gauge: Gauge = new Gauge({
      name: 'ingest_gateway_ended_task_feed_connected',
      help: 'Whether this replica writes and reads the feed of ended tasks in Redis; 1 without REDIS_URL.',
      registers: [registry],
      collect: (): void => gauge.set(Number(this.#isConnected())),
    });
  }

  /** @param isConnected called at each scrape */
  observe(isConnected: () => boolean): void {
    this.#isConnected = isConnected;
  }

  /** Counts entries that were ignored, and logs their number at most once a minute. */
  invalidEntries(count: number): void {
    this.#invalidEntries += count;
    const now = performance.now();
    if (now < this.#logAgainAt) return;
    this.#logAgainAt = now + LOG_INTERVAL_MS;
    this.logger.warn(
      { event: 'ended-task-feed-invalid', entries: this.#invalidEntries },
      'ignored entries in the feed of ended tasks in Redis that no replica of this version has written',
    );
    this.#invalidEntries = 0;
  }
}
