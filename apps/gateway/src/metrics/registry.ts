import { createRequire } from 'node:module';
import { collectDefaultMetrics, Gauge, type Histogram, Registry } from 'prom-client';

const { version } = createRequire(import.meta.url)('#package.json') as { version: string };

/** One series for each open handle, so their cost grows with the connections; and lags that each scrape resets. */
const REMOVED = /^nodejs_(active|eventloop_lag)_/;

const GC_KINDS = ['major', 'minor', 'incremental', 'weakcb'];

/** Creates the registry, with the metrics of the process and of the build. */
export function createRegistry(revision: string): Registry {
  const registry = new Registry();
  // The event loop lag of prom-client is removed below. The precision keeps its timer from firing.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 3_600_000 });
  for (const { name } of registry.getMetricsAsArray())
    if (REMOVED.test(name)) registry.removeSingleMetric(name);
  const collections = registry.getSingleMetric('nodejs_gc_duration_seconds') as unknown as Histogram<'kind'>;
  for (const kind of GC_KINDS) collections.zero({ kind });
  new Gauge({
    name: 'ingest_gateway_build_info',
    help: 'The running build; always 1.',
    labelNames: ['version', 'revision', 'node'],
    registers: [registry],
  }).set({ version, revision, node: process.version }, 1);
  return registry;
}
