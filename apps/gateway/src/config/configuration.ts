import { validateSync } from 'class-validator';
import type { LoadedCallersFile } from '../callers/loaded-callers-file.js';
import type { CredentialsSetting } from '../credentials/credentials-setting.js';
import type { TracingSetting } from '../tracing/tracing-setting.js';
import { loadCallers } from './load-callers.js';
import { credentialsFaults, credentialsFrom } from './credentials-from.js';
import { Environment } from './environment.js';
import { InvalidConfiguration } from './invalid-configuration.js';
import { tracingFrom } from './tracing-from.js';

/** How this gateway is to run. Durations are milliseconds. */
export interface Configuration {
  readonly host: string;
  readonly port: number;
  readonly credentials: CredentialsSetting;
  /** The list of callers as it was at start; undefined: everybody may call. */
  readonly callersFile: LoadedCallersFile | undefined;
  readonly defaultSdkAppId: number;
  readonly defaultRegion: string;
  readonly endpoint: URL;
  readonly quotaPerSecond: number;
  readonly quotaDefaultWaitMs: number;
  readonly quotaQueueLimit: number;
  /** May hold a password. */
  readonly redisUrl: string | undefined;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly maxAttempts: number;
  readonly shutdownGraceMs: number;
  /** undefined: no traces. */
  readonly tracing: TracingSetting | undefined;
  readonly logLevel: string;
  /** Whether this is no place for a person's convenience. */
  readonly production: boolean;
  readonly revision: string;
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws InvalidConfiguration that lists every fault
 */
export function readConfiguration(variables: NodeJS.ProcessEnv = process.env): Configuration {
  const environment = new Environment();
  const known = new Set(Object.keys(environment));
  for (const [name, value] of Object.entries(variables))
    if (known.has(name) && value) Object.assign(environment, { [name]: value });
  const faults = [
    ...validateSync(environment).flatMap(({ constraints = {} }) => Object.values(constraints)),
    ...credentialsFaults(environment),
  ];
  const callersFile = loadCallers(environment, (error) => faults.push(error));
  if (faults.length > 0) throw new InvalidConfiguration(faults);
  return {
    host: environment.HOST,
    port: Number(environment.PORT),
    credentials: credentialsFrom(environment),
    callersFile,
    defaultSdkAppId: Number(environment.TRTC_SDK_APP_ID),
    defaultRegion: environment.TRTC_REGION,
    endpoint: new URL(environment.TRTC_ENDPOINT),
    quotaPerSecond: Number(environment.QUOTA_PER_SECOND),
    quotaDefaultWaitMs: Number(environment.QUOTA_DEFAULT_WAIT_MS),
    quotaQueueLimit: Number(environment.QUOTA_QUEUE_LIMIT),
    redisUrl: environment.REDIS_URL,
    attemptTimeoutMs: Number(environment.UPSTREAM_ATTEMPT_TIMEOUT_MS),
    deadlineMs: Number(environment.UPSTREAM_DEADLINE_MS),
    maxAttempts: Number(environment.UPSTREAM_MAX_ATTEMPTS),
    shutdownGraceMs: Number(environment.SHUTDOWN_GRACE_MS),
    tracing: tracingFrom(environment),
    logLevel: environment.LOG_LEVEL,
    production: environment.NODE_ENV === 'production',
    revision: environment.GATEWAY_REVISION,
  };
}
