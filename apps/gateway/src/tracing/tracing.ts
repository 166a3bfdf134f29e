import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Answered } from '../answered.js';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { systemClock } from '../system-clock.js';
import type { OtlpTracing } from './otlp-tracing.js';

/** When nobody says how long the last spans may take to leave, in milliseconds. */
const FLUSH_MS = 1000;

/** Traces of calls to stop a task. Without somewhere to send them nothing of OpenTelemetry is even loaded. */
@Injectable()
export class Tracing implements OnModuleInit, OnApplicationShutdown {
  #tracing: OtlpTracing | undefined;
  #failing = false;

  constructor(
    @InjectConfiguration() private readonly configuration: Configuration,
    private readonly logger: PinoLogger,
  ) {}

  async onModuleInit(): Promise<void> {
    const { tracing, revision, endpoint } = this.configuration;
    if (!tracing) return;
    const { openTracing } = await import('./otlp-tracing.js');
    this.#tracing = openTracing(tracing, {
      revision,
      endpoint,
      exported: (failure) => this.#exported(failure),
    });
  }

  /** A call has ended, and its record is whole: it becomes spans, and learns the trace that they are in. */
  record(answered: Answered): void {
    this.#tracing?.record(answered);
  }

  /** Sends what has not been sent. Whatever the collector does, this takes no longer than so many milliseconds. */
  async close(withinMs: number): Promise<void> {
    const tracing = this.#tracing;
    if (!tracing) return;
    this.#tracing = undefined;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const inTime = systemClock.wakeIn(Math.max(0, withinMs), resolve);
    await Promise.race([tracing.close(), late]);
    inTime();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close(FLUSH_MS);
  }

  /** Tells of the first failure and of the first success after it, not of each. */
  #exported(failure: string | undefined): void {
    if (failure !== undefined && !this.#failing)
      this.logger.warn(
        { event: 'traces-not-exported', reason: failure },
        'spans cannot be handed to OTEL_EXPORTER_OTLP_ENDPOINT and are lost; calls are served all the same',
      );
    if (failure === undefined && this.#failing)
      this.logger.info({ event: 'traces-exported' }, 'spans can be handed over again');
    this.#failing = failure !== undefined;
  }
}
