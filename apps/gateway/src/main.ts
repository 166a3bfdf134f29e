import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { Callers } from './callers/callers.js';
import { type Configuration, readConfiguration } from './config/configuration.js';
import { EX_CONFIG, InvalidConfiguration } from './config/invalid-configuration.js';
import { createGateway } from './http.js';
import { shutDownOnSignals } from './operations/shutdown.js';

try {
  const configuration = readConfiguration();
  const app = await createGateway(configuration);
  await shutDownOnSignals(app, configuration.shutdownGraceMs);
  await listen(app, configuration);
} catch (error) {
  process.stderr.write(`${explanation(error)}\n`);
  process.exit(error instanceof InvalidConfiguration ? EX_CONFIG : 1);
}

function explanation(error: unknown): string {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return `port ${port} of ${address} is taken: choose another with PORT`;
  return error instanceof Error ? error.message : 'the gateway could not start';
}

async function listen(app: NestFastifyApplication, configuration: Configuration): Promise<void> {
  const { host, port, endpoint, defaultRegion, quotaPerSecond, redisUrl } = configuration;
  await app.listen(port, host);
  const { names } = app.get(Callers);
  app
    .get(Logger)
    .log(
      `listening on ${await app.getUrl()}, endpoint ${endpoint.origin}, region ${defaultRegion}, ` +
        `quota ${quotaPerSecond} per second ${redisUrl ? 'for all replicas' : 'in this process'}, ` +
        `callers ${names?.length ?? 'anonymous'}`,
    );
}
