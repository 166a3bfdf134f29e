import { Injectable } from '@nestjs/common';
import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import { acceptsOpenMetrics } from './accepts-open-metrics.js';

/** The response to a scrape. */
export interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

/** Renders all metrics in Prometheus' text format, or in OpenMetrics, which includes exemplars. */
@Injectable()
export class MetricsRenderer {
  readonly #inFlight = new Map<string, Promise<Scrape>>();

  constructor(private readonly registry: Registry) {}

  /**
   * Renders all metrics. Concurrent scrapes of one format share a response, because no other public route costs as much.
   *
   * @param accept the request's Accept header
   */
  render(accept: string | undefined): Promise<Scrape> {
    const contentType = acceptsOpenMetrics(accept)
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE;
    let scrape = this.#inFlight.get(contentType);
    if (!scrape) {
      scrape = this.#render(contentType).finally(() => this.#inFlight.delete(contentType));
      this.#inFlight.set(contentType, scrape);
    }
    return scrape;
  }

  async #render(contentType: Scrape['contentType']): Promise<Scrape> {
    const registry = contentType === Registry.OPENMETRICS_CONTENT_TYPE ? this.#openMetrics() : this.registry;
    return { contentType, text: await registry.metrics() };
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
