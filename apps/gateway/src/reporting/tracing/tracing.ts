import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { AsyncStopsService } from '../../async-stops/async-stops.service.js';
import type { Configuration, TencentCloudConfig } from '../../config/configuration.js';
import { buildConfig, tencentCloudConfig, tracingConfig } from '../../config/namespaces.js';
import type { StopOutcome } from '../../ingest-tasks/stop-outcome.js';
import type { OtlpTracing } from './otlp-tracing.js';

/** The time to export the last spans when the application closes. */
const FLUSH_TIMEOUT_MS = 1000;

/** Traces of stops. OpenTelemetry is loaded only if a collector is configured. */
@Injectable()
export class Tracing implements OnModuleInit, OnApplicationShutdown {
  #tracing: OtlpTracing | undefined;
  #isFailing = false;

  constructor(
    @Inject(tracingConfig.KEY) private readonly config: Configuration['tracing'],
    @Inject(tencentCloudConfig.KEY) private readonly cloud: TencentCloudConfig,
    @Inject(buildConfig.KEY) private readonly build: Configuration['build'],
    private readonly asyncStops: AsyncStopsService,
    private readonly logger: PinoLogger,
  ) {}

  async onModuleInit(): Promise<void> {
    const { otlp } = this.config;
    if (!otlp) return;
    const { createOtlpTracing } = await import('./otlp-tracing.js');
    const { revision } = this.build;
    this.#tracing = createOtlpTracing(otlp, revision, this.cloud.endpoint, (failure) =>
      this.#onExport(failure),
    );
    this.asyncStops.onAttempt((attempt) => this.#tracing?.recordAttempt(attempt));
  }

  /** Creates the spans of a stop that has ended. Returns the trace id, if the trace is recorded. */
  record(
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: StopOutcome,
    endedAt: number,
  ): string | undefined {
    return this.#tracing?.record(request, reply, outcome, endedAt);
  }

  /** Exports the remaining spans. Resolves after at most `timeoutMs` milliseconds. */
  async close(timeoutMs: number): Promise<void> {
    const tracing = this.#tracing;
    if (!tracing) return;
    this.#tracing = undefined;
    await Promise.race([tracing.close(), sleep(Math.max(0, timeoutMs))]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close(FLUSH_TIMEOUT_MS);
  }

  /** Logs only the first failure and the first success after it. */
  #onExport(failure: string | undefined): void {
    if (failure !== undefined && !this.#isFailing)
      this.logger.warn(
        { event: 'trace-export-failed', reason: failure },
        'spans cannot be exported to OTEL_EXPORTER_OTLP_ENDPOINT and are lost; stops are not affected',
      );
    if (failure === undefined && this.#isFailing)
      this.logger.info({ event: 'trace-export-recovered' }, 'spans are exported again');
    this.#isFailing = failure !== undefined;
  }
}
