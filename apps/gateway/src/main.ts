import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { type Configuration, readConfiguration } from './config/configuration.js';
import { EX_CONFIG, InvalidConfiguration } from './config/invalid-configuration.js';
import { createGateway } from './http.js';

try {
  const configuration = readConfiguration();
  const app = await createGateway(configuration);
  app.enableShutdownHooks();
  await listen(app, configuration);
} catch (error) {
  const known = error instanceof InvalidConfiguration;
  process.stderr.write(`${error instanceof Error ? error.message : 'The gateway could not start.'}\n`);
  process.exit(known ? EX_CONFIG : 1);
}

async function listen(app: NestFastifyApplication, configuration: Configuration): Promise<void> {
  const { host, port, endpoint, defaultRegion, quotaPerSecond } = configuration;
  await app.listen(port, host);
  app
    .get(Logger)
    .log(
      `listening on ${await app.getUrl()}, endpoint ${endpoint.origin}, region ${defaultRegion}, ` +
        `quota ${quotaPerSecond} per second in this process, callers anonymous`,
    );
}
