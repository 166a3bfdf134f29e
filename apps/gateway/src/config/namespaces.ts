import { registerAs } from '@nestjs/config';
import { type Configuration, readConfiguration } from './configuration.js';

/** Removed once they are read, so that neither a child process nor a diagnostic report contains them. */
const SECRETS = [
  'TENCENTCLOUD_SECRET_ID',
  'TENCENTCLOUD_SECRET_KEY',
  'TENCENTCLOUD_SESSION_TOKEN',
  'REDIS_URL',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

let configuration: Configuration | undefined;

/**
 * The configuration from this process's environment, read and validated once. Removes the secrets from `process.env`.
 *
 * @throws InvalidConfigurationError that lists every error
 */
export function loadConfiguration(): Configuration {
  if (!configuration) {
    configuration = readConfiguration(process.env);
    for (const name of SECRETS) delete process.env[name];
  }
  return configuration;
}

export const authConfig = registerAs('auth', () => loadConfiguration().auth);
export const quotaConfig = registerAs('quota', () => loadConfiguration().quota);
export const redisConfig = registerAs('redis', () => loadConfiguration().redis);
export const tencentCloudConfig = registerAs('tencentCloud', () => loadConfiguration().tencentCloud);
export const asyncStopsConfig = registerAs('asyncStops', () => loadConfiguration().asyncStops);
export const tracingConfig = registerAs('tracing', () => loadConfiguration().tracing);
export const buildConfig = registerAs('build', () => loadConfiguration().build);

/** Every namespace, by its name in {@link Configuration}. */
export const NAMESPACES = {
  http: registerAs('http', () => loadConfiguration().http),
  auth: authConfig,
  quota: quotaConfig,
  redis: redisConfig,
  tencentCloud: tencentCloudConfig,
  asyncStops: asyncStopsConfig,
  tracing: tracingConfig,
  lifecycle: registerAs('lifecycle', () => loadConfiguration().lifecycle),
  logging: registerAs('logging', () => loadConfiguration().logging),
  build: buildConfig,
} satisfies Record<keyof Configuration, unknown>;
