import { type AddressInfo, isIPv6 } from 'node:net';
import { PinoLogger } from 'nestjs-pino';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CallerRegistry } from '../auth/caller-registry.js';
import type { Configuration } from '../config/configuration.js';
import { loadConfiguration } from '../config/namespaces.js';
import { createApp } from './create-app.js';
import { registerShutdownHandlers } from './shutdown.js';

/**
 * Starts the gateway and logs its main settings.
 *
 * @throws InvalidConfigurationError
 * @throws the system's error when the listener cannot be opened
 */
export async function start(): Promise<void> {
  // Before Nest, which would log configuration errors in its own format, with a stack.
  const configuration = loadConfiguration();
  const app = await createApp();
  await registerShutdownHandlers(app, configuration.lifecycle.shutdownGraceMs);
  // Not through Nest, which would log errors with the values of HOST and PORT.
  const fastify = app.getHttpAdapter().getInstance();
  const { host, port } = configuration.http;
  await fastify.listen({ host, port });
  await logStartup(app, configuration, urlOf(fastify.server.address() as AddressInfo));
}

/** Fastify itself would name 127.0.0.1 for all addresses of the machine. */
function urlOf({ address, port }: AddressInfo): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

async function logStartup(
  app: NestFastifyApplication,
  { tencentCloud, quota, redis, tracing: { otlp } }: Configuration,
  url: string,
): Promise<void> {
  // Only the hosts: the rest of these URLs may contain a password or a token.
  const store = redis.target ? `Redis at ${redis.target.hosts}` : 'this process';
  const collector = otlp && new URL(otlp.url).origin;
  const fields = {
    url,
    endpoint: tencentCloud.endpoint.origin,
    region: tencentCloud.defaultRegion,
    quotaPerSecond: quota.perSecond,
    store,
    callers: app.get(CallerRegistry).size ?? 'anonymous',
    traces: collector,
  };
  const logger = await app.resolve(PinoLogger);
  logger.info(
    { event: 'server-started', ...fields },
    `listening on ${url}, endpoint ${fields.endpoint}, region ${fields.region}, ` +
      `quota ${quota.perSecond} per second in ${store}, callers ${fields.callers}` +
      (collector ? `, traces to ${collector}` : ''),
  );
}
