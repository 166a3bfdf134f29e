const SAMPLERS =
  'always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio';

/**
 * Every environment variable that the gateway reads: its name, its default, an invalid value, and every error that this
 * value causes in an otherwise valid environment. An error that begins in lower case is about the variable itself. A
 * variable without an invalid value accepts any text.
 */
const VARIABLES: readonly (readonly [name: string, byDefault: string | undefined, ...invalid: string[]])[] = [
  ['PORT', '3000', '65536', 'must be a whole number from 0 to 65535'],
  [
    'TRUSTED_PROXIES',
    undefined,
    '10.0.0.0/33,proxy',
    'TRUSTED_PROXIES: entry 1 must be an IP address or a CIDR, such as 10.0.0.0/8',
    'TRUSTED_PROXIES: entry 2 must be an IP address or a CIDR, such as 10.0.0.0/8',
  ],
  ['HOST', '0.0.0.0', 'a b', 'must be an address to listen on, such as 0.0.0.0 or ::'],
  [
    'TENCENTCLOUD_SECRET_ID',
    undefined,
    'AKID,with/marks',
    'must be visible ASCII without blanks, commas and slashes',
  ],
  [
    'TENCENTCLOUD_SECRET_ID_FILE',
    undefined,
    'line\nbreak',
    'must be the path of a file',
    'TENCENTCLOUD_SECRET_ID must not be set together with TENCENTCLOUD_SECRET_ID_FILE',
  ],
  ['TENCENTCLOUD_SECRET_KEY', undefined, 'with a blank', 'must be visible ASCII without blanks'],
  [
    'TENCENTCLOUD_SECRET_KEY_FILE',
    undefined,
    'line\nbreak',
    'must be the path of a file',
    'TENCENTCLOUD_SECRET_KEY must not be set together with TENCENTCLOUD_SECRET_KEY_FILE',
  ],
  ['TENCENTCLOUD_SESSION_TOKEN', undefined, 'line\nbreak', 'must be visible ASCII without blanks'],
  [
    'TENCENTCLOUD_SESSION_TOKEN_FILE',
    undefined,
    '/nowhere/token',
    'cannot be read (ENOENT): there is no such file; a relative path starts in the folder where the gateway was started',
  ],
  [
    'TENCENTCLOUD_CVM_ROLE',
    undefined,
    'a role',
    'must be the name of a CAM role',
    'TENCENTCLOUD_SECRET_ID must not be set together with TENCENTCLOUD_CVM_ROLE',
    'TENCENTCLOUD_SECRET_KEY must not be set together with TENCENTCLOUD_CVM_ROLE',
  ],
  [
    'TENCENTCLOUD_STS_ENDPOINT',
    'https://sts.intl.tencentcloudapi.com',
    'sts.intl.tencentcloudapi.com',
    'must be an https origin without a path, such as https://host (plain http only to loopback)',
  ],
  ['TKE_REGION', undefined, 'ap singapore', 'must be a region, such as ap-singapore'],
  ['TKE_PROVIDER_ID', undefined, 'a provider', 'must be the name of an identity provider'],
  ['TKE_WEB_IDENTITY_TOKEN_FILE', undefined, 'line\nbreak', 'must be the path of a file'],
  [
    'TKE_ROLE_ARN',
    undefined,
    'stop-role',
    'must be the resource name of a CAM role, such as qcs::cam::uin/1:roleName/stop',
  ],
  ['TRTC_SDK_APP_ID', undefined, '1e9', 'must be a whole number from 1 to 9007199254740991'],
  [
    'TRTC_REGION',
    'ap-singapore',
    'AP-SINGAPORE',
    'must be one of ap-bangkok, ap-jakarta, ap-mumbai, ap-singapore',
  ],
  [
    'TRTC_ENDPOINT',
    'https://trtc.intl.tencentcloudapi.com',
    'http://trtc.intl.tencentcloudapi.com',
    'must be an https origin without a path, such as https://host (plain http only to loopback)',
  ],
  [
    'CALLERS_FILE',
    undefined,
    'line\nbreak',
    'must be the path of a file',
    'ALLOW_ANONYMOUS must not be true together with CALLERS_FILE',
  ],
  ['ALLOW_ANONYMOUS', 'false', 'yes', 'must be one of true, false'],
  ['QUOTA_PER_SECOND', '20', '1001', 'must be a whole number from 1 to 1000'],
  ['QUOTA_DEFAULT_WAIT_MS', '0', '30001', 'must be a whole number from 0 to 30000'],
  ['QUOTA_QUEUE_LIMIT', '200', '10001', 'must be a whole number from 0 to 10000'],
  [
    'REDIS_URL',
    undefined,
    'http://user:pw@host',
    'must be such as redis://:password@redis.internal/0, or redis://node-1:6379,node-2:6379?cluster=true for a cluster (rediss:// for TLS; special characters of the password percent-encoded)',
  ],
  [
    'UPSTREAM_PROXY',
    undefined,
    'http://user:pw@host',
    'must be an http origin without a user and a path, such as http://proxy.internal:3128',
  ],
  [
    'UPSTREAM_PROXY_CREDENTIALS_FILE',
    undefined,
    'line\nbreak',
    'must be the path of a file',
    'UPSTREAM_PROXY_CREDENTIALS_FILE needs UPSTREAM_PROXY',
  ],
  ['UPSTREAM_ATTEMPT_TIMEOUT_MS', '3000', '60001', 'must be a whole number from 1 to 60000'],
  ['UPSTREAM_DEADLINE_MS', '8000', '120001', 'must be a whole number from 1 to 120000'],
  ['UPSTREAM_MAX_ATTEMPTS', '3', '11', 'must be a whole number from 1 to 10'],
  ['KEEP_ALIVE_TIMEOUT_MS', '72000', '999', 'must be a whole number from 1000 to 7200000'],
  ['ASYNC_STOP_TTL_MS', '86400000', '999', 'must be a whole number from 1000 to 604800000'],
  ['ASYNC_STOPS_LIMIT', '10000', '0', 'must be a whole number from 1 to 100000'],
  ['SHUTDOWN_GRACE_MS', '10000', '600001', 'must be a whole number from 0 to 600000'],
  ['LOG_LEVEL', 'info', 'verbose', 'must be one of fatal, error, warn, info, debug, trace, silent'],
  ['NODE_ENV', ''],
  ['GATEWAY_REVISION', 'unknown', 'a b', 'must be a revision'],
  ['OTEL_SDK_DISABLED', 'false'],
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    undefined,
    'http://user:pw@host',
    'must be an http or https URL without user, query and fragment',
  ],
  ['OTEL_EXPORTER_OTLP_HEADERS', '', 'no pair', 'must be name=value pairs with commas between them'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf', 'grpc', 'must be one of http/protobuf, http/json'],
  ['OTEL_SERVICE_NAME', undefined, 'line\nbreak', 'must be a name'],
  ['OTEL_RESOURCE_ATTRIBUTES', '', 'no pair', 'must be name=value pairs with commas between them'],
  ['OTEL_TRACES_SAMPLER', 'parentbased_always_on', 'sometimes', `must be one of ${SAMPLERS}`],
  ['OTEL_TRACES_SAMPLER_ARG', '1', '1.1', 'must be a number from 0 to 1'],
];

export interface ContractVariable {
  /** Undefined for a variable without a default. */
  readonly default: string | undefined;
  /** An invalid value, and every error that it causes. */
  readonly invalid: readonly string[];
}

export const ENVIRONMENT_VARIABLES: Readonly<Record<string, ContractVariable>> = Object.fromEntries(
  VARIABLES.map(([name, byDefault, ...[value, ...errors]]) => [
    name,
    {
      default: byDefault,
      invalid:
        value === undefined
          ? []
          : [value, ...errors.map((error) => (/^[a-z]/.test(error) ? `${name} ${error}` : error))],
    },
  ]),
);
