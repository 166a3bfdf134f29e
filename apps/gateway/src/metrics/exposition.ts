import { Injectable } from '@nestjs/common';
import { type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import { wantsOpenMetrics } from './wants-open-metrics.js';

/** What `GET /metrics` answers. */
export interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

/** Writes down everything measured: in Prometheus' text format, or as OpenMetrics, which can tell of exemplars. */
@Injectable()
export class Exposition {
  readonly #underWay = new Map<string, Promise<Scrape>>();

  constructor(private readonly registry: Registry) {}

  /**
   * One answer for all who ask for the same at the same time: it costs more than anything else that is open to
   * everybody.
   *
   * @param accept the request's header
   */
  write(accept: string | undefined): Promise<Scrape> {
    const contentType = wantsOpenMetrics(accept)
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE;
    let scrape = this.#underWay.get(contentType);
    if (!scrape) {
      scrape = this.#write(contentType).finally(() => this.#underWay.delete(contentType));
      this.#underWay.set(contentType, scrape);
    }
    return scrape;
  }

  async #write(contentType: Scrape['contentType']): Promise<Scrape> {
    const registry = contentType === Registry.OPENMETRICS_CONTENT_TYPE ? this.#openMetrics() : this.registry;
    return { contentType, text: await registry.metrics() };
  }

  /** The same metrics. Rendering it renames counters, so it is given views of them that may be renamed. */
  #openMetrics(): Registry<OpenMetricsContentType> {
    const open = new Registry<OpenMetricsContentType>();
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const metric of this.registry.getMetricsAsArray())
      open.registerMetric(Object.create(metric) as Metric);
    return open;
  }
}
