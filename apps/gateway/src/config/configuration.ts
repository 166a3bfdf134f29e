import { validateSync } from 'class-validator';
import type { LoggingOptions } from '../logging/logging-options.js';
import { type AuthConfig, buildAuthConfig } from './auth-config.js';
import { buildCredentialsConfig, type CredentialsConfig, validateCredentials } from './credentials-config.js';
import { Environment } from './environment.js';
import { InvalidConfigurationError } from './invalid-configuration.error.js';
import { buildTracingConfig, type TracingConfig } from './tracing-config.js';

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
}

export interface QuotaConfig {
  /** Upstream calls that may arrive in any one second. */
  readonly perSecond: number;
  /** For requests without `Prefer`. */
  readonly defaultWaitMs: number;
  /** The maximum number of waiting calls. */
  readonly queueLimit: number;
}

export interface RedisConfig {
  /** May contain a password; undefined: the slots are local to this process. */
  readonly url: string | undefined;
}

export interface TencentCloudConfig {
  readonly endpoint: URL;
  readonly credentials: CredentialsConfig;
  readonly defaultSdkAppId: number;
  readonly defaultRegion: string;
  readonly attemptTimeoutMs: number;
  /** For a call, including retries. */
  readonly deadlineMs: number;
  readonly maxAttempts: number;
}

export interface LifecycleConfig {
  readonly shutdownGraceMs: number;
}

export interface BuildConfig {
  /** The commit that was built. */
  readonly revision: string;
}

/** The configuration of the gateway, by namespace. */
export interface Configuration {
  readonly http: HttpConfig;
  readonly auth: AuthConfig;
  readonly quota: QuotaConfig;
  readonly redis: RedisConfig;
  readonly tencentCloud: TencentCloudConfig;
  /** `otlp` is undefined without tracing. */
  readonly tracing: { readonly otlp: TracingConfig | undefined };
  readonly lifecycle: LifecycleConfig;
  readonly logging: LoggingOptions;
  readonly build: BuildConfig;
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws InvalidConfigurationError that lists every error
 */
export function readConfiguration(variables: NodeJS.ProcessEnv): Configuration {
  const environment = new Environment();
  const names = new Set(Object.keys(environment));
  for (const [name, value] of Object.entries(variables))
    if (names.has(name) && value) Object.assign(environment, { [name]: value });
  const errors = [
    ...validateSync(environment).flatMap(({ constraints = {} }) => Object.values(constraints)),
    ...validateCredentials(environment),
  ];
  const auth = buildAuthConfig(environment, errors);
  if (errors.length > 0) throw new InvalidConfigurationError(errors);
  return {
    http: { host: environment.HOST, port: Number(environment.PORT) },
    auth,
    quota: {
      perSecond: Number(environment.QUOTA_PER_SECOND),
      defaultWaitMs: Number(environment.QUOTA_DEFAULT_WAIT_MS),
      queueLimit: Number(environment.QUOTA_QUEUE_LIMIT),
    },
    redis: { url: environment.REDIS_URL },
    tencentCloud: {
      endpoint: new URL(environment.TRTC_ENDPOINT),
      credentials: buildCredentialsConfig(environment),
      defaultSdkAppId: Number(environment.TRTC_SDK_APP_ID),
      defaultRegion: environment.TRTC_REGION,
      attemptTimeoutMs: Number(environment.UPSTREAM_ATTEMPT_TIMEOUT_MS),
      deadlineMs: Number(environment.UPSTREAM_DEADLINE_MS),
      maxAttempts: Number(environment.UPSTREAM_MAX_ATTEMPTS),
    },
    tracing: { otlp: buildTracingConfig(environment) },
    lifecycle: { shutdownGraceMs: Number(environment.SHUTDOWN_GRACE_MS) },
    logging: { level: environment.LOG_LEVEL, isProduction: environment.NODE_ENV === 'production' },
    build: { revision: environment.GATEWAY_REVISION },
  };
}
