import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PinoLogger } from 'nestjs-pino';
import { Callers } from '../callers/callers.js';
import { type Configuration, readConfiguration } from '../config/configuration.js';
import { createGateway } from '../http.js';
import { terminalLog } from '../logging/terminal-log.js';
import { shutDownOnSignals } from '../operations/shutdown.js';

/** Starts the gateway: reads the configuration, listens, and says so in one line. */
export async function start(): Promise<void> {
  const configuration = readConfiguration();
  const logTo = configuration.production ? undefined : await terminalLog(process.stdout);
  const app = await createGateway(configuration, logTo && { logTo });
  await shutDownOnSignals(app, configuration.shutdownGraceMs);
  const { port, host } = configuration;
  // Not through Nest, which would log what goes wrong in words of its own, with the values.
  const url = await app.getHttpAdapter().getInstance().listen({ port, host });
  await summarise(app, configuration, url);
}

async function summarise(
  app: NestFastifyApplication,
  configuration: Configuration,
  url: string,
): Promise<void> {
  const { defaultRegion: region, quotaPerSecond, redisUrl, tracing } = configuration;
  const logger = await app.resolve(PinoLogger);
  const endpoint = configuration.endpoint.origin;
  // Its host alone: the rest may hold a password.
  const store = redisUrl === undefined ? 'this process' : `Redis at ${new URL(redisUrl).host}`;
  const callers = app.get(Callers).names?.length ?? 'anonymous';
  logger.info(
    {
      event: 'listening',
      url,
      endpoint,
      region,
      quotaPerSecond,
      store,
      callers,
      ...(tracing && { traces: tracing.url }),
    },
    `listening on ${url}, endpoint ${endpoint}, region ${region}, ` +
      `quota ${quotaPerSecond} per second in ${store}, callers ${callers}${tracing ? `, traces to ${tracing.url}` : ''}`,
  );
}
