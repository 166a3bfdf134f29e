export interface ContractVariable {
  /** Undefined for a variable without a default. */
  readonly default?: string;
  /** An invalid value, and every error that it causes in an otherwise valid environment. */
  readonly invalid?: readonly [value: string, ...errors: readonly string[]];
}

const SAMPLERS =
  'always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio';

/** Every environment variable that the gateway reads. A variable without an invalid value accepts any text. */
export const ENVIRONMENT_VARIABLES: Readonly<Record<string, ContractVariable>> = {
  PORT: { default: '3000', invalid: ['65536', 'PORT must be a whole number from 0 to 65535'] },
  HOST: { default: '0.0.0.0', invalid: ['a b', 'HOST must be an address to listen on'] },
  TENCENTCLOUD_SECRET_ID: {
    invalid: [
      'AKID,with/marks',
      'TENCENTCLOUD_SECRET_ID must be visible ASCII without blanks, commas and slashes',
    ],
  },
  TENCENTCLOUD_SECRET_ID_FILE: {
    invalid: [
      'line\nbreak',
      'TENCENTCLOUD_SECRET_ID_FILE must be the path of a file',
      'TENCENTCLOUD_SECRET_ID must not be set together with TENCENTCLOUD_SECRET_ID_FILE',
    ],
  },
  TENCENTCLOUD_SECRET_KEY: {
    invalid: ['with a blank', 'TENCENTCLOUD_SECRET_KEY must be visible ASCII without blanks'],
  },
  TENCENTCLOUD_SECRET_KEY_FILE: {
    invalid: [
      'line\nbreak',
      'TENCENTCLOUD_SECRET_KEY_FILE must be the path of a file',
      'TENCENTCLOUD_SECRET_KEY must not be set together with TENCENTCLOUD_SECRET_KEY_FILE',
    ],
  },
  TENCENTCLOUD_SESSION_TOKEN: {
    invalid: ['line\nbreak', 'TENCENTCLOUD_SESSION_TOKEN must be visible ASCII without blanks'],
  },
  TENCENTCLOUD_SESSION_TOKEN_FILE: {
    invalid: [
      '/nowhere/token',
      'TENCENTCLOUD_SESSION_TOKEN_FILE cannot be read (ENOENT): there is no such file; a relative path starts in the folder where the gateway was started',
    ],
  },
  TENCENTCLOUD_CVM_ROLE: {
    invalid: [
      'a role',
      'TENCENTCLOUD_CVM_ROLE must be the name of a CAM role',
      'TENCENTCLOUD_SECRET_ID must not be set together with TENCENTCLOUD_CVM_ROLE',
      'TENCENTCLOUD_SECRET_KEY must not be set together with TENCENTCLOUD_CVM_ROLE',
    ],
  },
  TRTC_SDK_APP_ID: {
    invalid: ['1e9', 'TRTC_SDK_APP_ID must be a whole number from 1 to 9007199254740991'],
  },
  TRTC_REGION: {
    default: 'ap-singapore',
    invalid: ['AP-SINGAPORE', 'TRTC_REGION must be one of ap-bangkok, ap-jakarta, ap-mumbai, ap-singapore'],
  },
  TRTC_ENDPOINT: {
    default: 'https://trtc.intl.tencentcloudapi.com',
    invalid: [
      'http://trtc.intl.tencentcloudapi.com',
      'TRTC_ENDPOINT must be an https origin without a path, such as https://host (plain http only to loopback)',
    ],
  },
  CALLERS_FILE: {
    invalid: [
      'line\nbreak',
      'CALLERS_FILE must be the path of a file',
      'ALLOW_ANONYMOUS must not be true together with CALLERS_FILE',
    ],
  },
  ALLOW_ANONYMOUS: { default: 'false', invalid: ['yes', 'ALLOW_ANONYMOUS must be one of true, false'] },
  QUOTA_PER_SECOND: {
    default: '20',
    invalid: ['1001', 'QUOTA_PER_SECOND must be a whole number from 1 to 1000'],
  },
  QUOTA_DEFAULT_WAIT_MS: {
    default: '0',
    invalid: ['30001', 'QUOTA_DEFAULT_WAIT_MS must be a whole number from 0 to 30000'],
  },
  QUOTA_QUEUE_LIMIT: {
    default: '200',
    invalid: ['10001', 'QUOTA_QUEUE_LIMIT must be a whole number from 0 to 10000'],
  },
  REDIS_URL: {
    invalid: [
      'http://user:pw@host',
      'REDIS_URL must be redis:// or rediss://, such as redis://:password@redis.internal/0, with ?cluster=true and no database for a cluster',
    ],
  },
  UPSTREAM_ATTEMPT_TIMEOUT_MS: {
    default: '3000',
    invalid: ['60001', 'UPSTREAM_ATTEMPT_TIMEOUT_MS must be a whole number from 1 to 60000'],
  },
  UPSTREAM_DEADLINE_MS: {
    default: '8000',
    invalid: ['120001', 'UPSTREAM_DEADLINE_MS must be a whole number from 1 to 120000'],
  },
  UPSTREAM_MAX_ATTEMPTS: {
    default: '3',
    invalid: ['11', 'UPSTREAM_MAX_ATTEMPTS must be a whole number from 1 to 10'],
  },
  SHUTDOWN_GRACE_MS: {
    default: '10000',
    invalid: ['600001', 'SHUTDOWN_GRACE_MS must be a whole number from 0 to 600000'],
  },
  LOG_LEVEL: {
    default: 'info',
    invalid: ['verbose', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
  },
  NODE_ENV: { default: '' },
  GATEWAY_REVISION: { default: 'unknown', invalid: ['a b', 'GATEWAY_REVISION must be a revision'] },
  OTEL_SDK_DISABLED: { default: 'false', invalid: ['yes', 'OTEL_SDK_DISABLED must be one of true, false'] },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    invalid: [
      'http://user:pw@host',
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL without user, query and fragment',
    ],
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    default: '',
    invalid: ['no pair', 'OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs with commas between them'],
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    default: 'http/protobuf',
    invalid: ['grpc', 'OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, http/json'],
  },
  OTEL_SERVICE_NAME: {
    default: 'ingest-gateway',
    invalid: ['line\nbreak', 'OTEL_SERVICE_NAME must be a name'],
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    default: '',
    invalid: ['no pair', 'OTEL_RESOURCE_ATTRIBUTES must be name=value pairs with commas between them'],
  },
  OTEL_TRACES_SAMPLER: {
    default: 'parentbased_always_on',
    invalid: ['sometimes', `OTEL_TRACES_SAMPLER must be one of ${SAMPLERS}`],
  },
  OTEL_TRACES_SAMPLER_ARG: {
    default: '1',
    invalid: ['1.1', 'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1'],
  },
};
