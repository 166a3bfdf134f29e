import { registerAs } from '@nestjs/config';
import { type Configuration, readConfiguration } from './configuration.js';

let configuration: Configuration | undefined;

/**
 * The configuration from this process's environment, read and validated once.
 *
 * @throws InvalidConfigurationError that lists every error
 */
export function loadConfiguration(): Configuration {
  configuration ??= readConfiguration(process.env);
  return configuration;
}

export const authConfig = registerAs('auth', () => loadConfiguration().auth);
export const quotaConfig = registerAs('quota', () => loadConfiguration().quota);
export const redisConfig = registerAs('redis', () => loadConfiguration().redis);
export const tencentCloudConfig = registerAs('tencentCloud', () => loadConfiguration().tencentCloud);
export const tracingConfig = registerAs('tracing', () => loadConfiguration().tracing);
export const buildConfig = registerAs('build', () => loadConfiguration().build);

/** Every namespace, by its name in {@link Configuration}. */
export const NAMESPACES = {
  http: registerAs('http', () => loadConfiguration().http),
  auth: authConfig,
  quota: quotaConfig,
  redis: redisConfig,
  tencentCloud: tencentCloudConfig,
  tracing: tracingConfig,
  lifecycle: registerAs('lifecycle', () => loadConfiguration().lifecycle),
  logging: registerAs('logging', () => loadConfiguration().logging),
  build: buildConfig,
} satisfies Record<keyof Configuration, unknown>;
