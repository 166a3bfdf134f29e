import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import { PublicRoute } from '../http/route-config.js';
import { acceptsOpenMetrics } from './accepts-open-metrics.js';

@Controller('metrics')
export class MetricsController {
  readonly #inFlight = new Map<string, Promise<string>>();

  constructor(private readonly registry: Registry) {}

  /**
   * Returns all metrics: in Prometheus' text format, or in OpenMetrics, which includes exemplars, when `Accept` requests
   * it. Scrapes of one format in one turn of the event loop share a response, because no other public route costs as
   * much.
   */
  @Get()
  @PublicRoute()
  scrape(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const registry = acceptsOpenMetrics(accept) ? this.#openMetrics() : this.registry;
    const { contentType } = registry;
    void reply.headers({ 'content-type': contentType, vary: 'accept', 'cache-control': 'no-store' });
    let scrape = this.#inFlight.get(contentType);
    if (!scrape) {
      const forget = () => this.#inFlight.delete(contentType);
      scrape = registry.metrics().finally(() => setImmediate(forget));
      this.#inFlight.set(contentType, scrape);
    }
    return scrape;
  }

  /** Rendering in OpenMetrics renames counters, so it uses copies that inherit from the metrics. */
  #openMetrics(): Registry<OpenMetricsContentType> {
    const openMetrics = new Registry<OpenMetricsContentType>();
    openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const metric of this.registry.getMetricsAsArray())
      openMetrics.registerMetric(Object.create(metric) as Metric);
    return openMetrics;
  }
}
