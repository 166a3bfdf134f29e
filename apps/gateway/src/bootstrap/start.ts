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
  const url = await app.getHttpAdapter().getInstance().listen(configuration.http);
  await logStartup(app, configuration, url);
}

async function logStartup(
  app: NestFastifyApplication,
  { tencentCloud, quota, redis, tracing: { otlp } }: Configuration,
  url: string,
): Promise<void> {
  const { defaultRegion: region } = tencentCloud;
  const endpoint = tencentCloud.endpoint.origin;
  const quotaPerSecond = quota.perSecond;
  // Only the host: the rest may contain a password.
  const store = redis.url === undefined ? 'this process' : `Redis at ${new URL(redis.url).host}`;
  const callers = app.get(CallerRegistry).size ?? 'anonymous';
  const traces = otlp?.url;
  const logger = await app.resolve(PinoLogger);
  logger.info(
    {
      event: 'server-started',
      url,
      endpoint,
      region,
      quotaPerSecond,
      store,
      callers,
      ...(traces !== undefined && { traces }),
    },
    `listening on ${url}, endpoint ${endpoint}, region ${region}, ` +
      `quota ${quotaPerSecond} per second in ${store}, callers ${callers}` +
      (traces === undefined ? '' : `, traces to ${traces}`),
  );
}
