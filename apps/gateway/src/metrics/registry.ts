import { createRequire } from 'node:module';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

const { version } = createRequire(import.meta.url)('#package.json') as { version: string };

/** A registry with the metrics of the process and of the build. */
export function createRegistry(revision: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'gateway_build_info',
    help: 'The build that runs; always 1.',
    labelNames: ['version', 'revision', 'node'],
    registers: [registry],
  }).set({ version, revision, node: process.version }, 1);
  return registry;
}
