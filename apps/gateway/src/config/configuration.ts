import { validateSync } from 'class-validator';
import { parseTrustedProxies } from '../http/client-address.js';
import { buildAuthConfig } from './auth-config.js';
import { buildCredentialsConfig, validateCredentials } from './credentials-config.js';
import { parseRedisUrl } from '../redis/parse-redis-url.js';
import { Environment } from './environment.js';
import { InvalidConfigurationError } from './invalid-configuration.error.js';
import { validateNodeSettings } from './node-settings.js';
import { buildProxyConfig } from './proxy-config.js';
import { buildTracingConfig } from './tracing-config.js';

/**
 * Reads the configuration from environment variables, by namespace.
 *
 * @throws InvalidConfigurationError that lists every error
 */
export function readConfiguration(variables: NodeJS.ProcessEnv) {
  const environment = new Environment();
  const names = new Set(Object.keys(environment));
  for (const [name, value] of Object.entries(variables))
    if (names.has(name) && value) Object.assign(environment, { [name]: value });
  const errors = [
    ...validateSync(environment, { skipUndefinedProperties: true }).flatMap(({ constraints = {} }) =>
      Object.values(constraints),
    ),
    ...validateCredentials(environment),
    ...validateNodeSettings(variables, process.execArgv),
  ];
  const auth = buildAuthConfig(environment, errors);
  const proxy = buildProxyConfig(environment, errors);
  /** Undefined: none. */
  const trustedProxies =
    environment.TRUSTED_PROXIES === undefined
      ? undefined
      : parseTrustedProxies(environment.TRUSTED_PROXIES, (position) =>
          errors.push(
            `TRUSTED_PROXIES: entry ${position} must be an IP address or a CIDR, such as 10.0.0.0/8`,
          ),
        );
  if (errors.length > 0) throw new InvalidConfigurationError(errors);
  return {
    http: {
      host: environment.HOST,
      port: Number(environment.PORT),
      /** How long a connection may be idle between two requests. */
      keepAliveTimeoutMs: Number(environment.KEEP_ALIVE_TIMEOUT_MS),
      trustedProxies,
    },
    auth,
    quota: {
      /** Upstream calls that may arrive in any one second. */
      perSecond: Number(environment.QUOTA_PER_SECOND),
      /** For requests without `Prefer`. */
      defaultWaitMs: Number(environment.QUOTA_DEFAULT_WAIT_MS),
      /** The maximum number of waiting calls. */
      queueLimit: Number(environment.QUOTA_QUEUE_LIMIT),
    },
    /** `target` is undefined if the slots are local to this process. */
    redis: { target: environment.REDIS_URL === undefined ? undefined : parseRedisUrl(environment.REDIS_URL) },
    tencentCloud: {
      endpoint: new URL(environment.TRTC_ENDPOINT),
      credentials: buildCredentialsConfig(environment),
      /** undefined: connections are direct. */
      proxy,
      defaultSdkAppId: Number(environment.TRTC_SDK_APP_ID),
      defaultRegion: environment.TRTC_REGION,
      attemptTimeoutMs: Number(environment.UPSTREAM_ATTEMPT_TIMEOUT_MS),
      /** For a call, including retries. */
      deadlineMs: Number(environment.UPSTREAM_DEADLINE_MS),
      maxAttempts: Number(environment.UPSTREAM_MAX_ATTEMPTS),
    },
    asyncStops: {
      /** How long a stored stop is retried. */
      ttlMs: Number(environment.ASYNC_STOP_TTL_MS),
      /** How many stored stops of a caller may be pending. */
      limitPerCaller: Number(environment.ASYNC_STOPS_LIMIT),
    },
    /** `otlp` is undefined without tracing. */
    tracing: { otlp: buildTracingConfig(environment) },
    lifecycle: { shutdownGraceMs: Number(environment.SHUTDOWN_GRACE_MS) },
    logging: { level: environment.LOG_LEVEL, isProduction: environment.NODE_ENV === 'production' },
    /** The commit that was built. */
    build: { revision: environment.GATEWAY_REVISION },
  };
}

type Namespaces = ReturnType<typeof readConfiguration>;

/** The configuration of the gateway, by namespace. */
export type Configuration = { readonly [Name in keyof Namespaces]: Readonly<Namespaces[Name]> };

export type AsyncStopsConfig = Configuration['asyncStops'];
export type AuthConfig = Configuration['auth'];
export type QuotaConfig = Configuration['quota'];
export type RedisConfig = Configuration['redis'];
export type TencentCloudConfig = Configuration['tencentCloud'];
