import { isIPv4, isIPv6 } from 'node:net';
import { IsDefined } from 'class-validator';
import {
  isSecret,
  isSecretId,
  SECRET_ID_FORMAT,
  SECRET_FORMAT,
  STOP_STREAM_INGEST_REGIONS,
} from '#libs/tencent-cloud';
import { parseRedisUrl } from '../redis/parse-redis-url.js';
import { EnvRule, OneOf, parseUrl, Text } from './env-rule.js';
import { TracingEnvironment } from './tracing-config.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const WholeNumber = (min: number, max: number) =>
  EnvRule(
    'wholeNumber',
    `a whole number from ${min} to ${max}`,
    (value) => /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max,
  );

const FilePath = () => Text('the path of a file', /^\P{Cc}+$/u);

const ListenAddress = () =>
  EnvRule('listenAddress', 'an address to listen on, such as 0.0.0.0 or ::', (value) => {
    if (value.includes(':')) return isIPv6(value);
    return /^[\d.]+$/.test(value) ? isIPv4(value) : /^[\w.-]+$/.test(value);
  });

const Origin = () =>
  EnvRule(
    'origin',
    'an https origin without a path, such as https://host (plain http only to loopback)',
    (value) => {
      const url = parseUrl(value);
      const isSecure =
        url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
      return isSecure && url.href === `${url.origin}/`;
    },
  );

const HttpOrigin = () =>
  EnvRule(
    'httpOrigin',
    'an http origin without a user and a path, such as http://proxy.internal:3128',
    (value) => {
      const url = parseUrl(value);
      return url?.protocol === 'http:' && url.href === `${url.origin}/`;
    },
  );

const SecretId = () => EnvRule('secretId', SECRET_ID_FORMAT, isSecretId);
const Secret = () => EnvRule('secret', SECRET_FORMAT, isSecret);

const RedisUrl = () =>
  EnvRule(
    'redisUrl',
    'such as redis://:password@redis.internal/0, or redis://node-1:6379,node-2:6379?cluster=true for a cluster (rediss:// for ' +
      'TLS; special characters of the password percent-encoded)',
    (value) => parseRedisUrl(value) !== undefined,
  );

/**
 * The environment variables that the gateway reads, with their defaults. Every value is text; an empty value counts as
 * unset. Messages contain the name of the variable, never its value.
 */
export class Environment extends TracingEnvironment {
  @WholeNumber(0, 65_535)
  PORT = '3000';

  @ListenAddress()
  HOST = '0.0.0.0';

  TRUSTED_PROXIES?: string;

  @SecretId()
  TENCENTCLOUD_SECRET_ID?: string;

  @FilePath()
  TENCENTCLOUD_SECRET_ID_FILE?: string;

  @Secret()
  TENCENTCLOUD_SECRET_KEY?: string;

  @FilePath()
  TENCENTCLOUD_SECRET_KEY_FILE?: string;

  @Secret()
  TENCENTCLOUD_SESSION_TOKEN?: string;

  @FilePath()
  TENCENTCLOUD_SESSION_TOKEN_FILE?: string;

  @Text('the name of a CAM role', /^[\w+=,.@-]{1,128}$/)
  TENCENTCLOUD_CVM_ROLE?: string;

  @Origin()
  TENCENTCLOUD_STS_ENDPOINT = 'https://sts.intl.tencentcloudapi.com';

  @Text('a region, such as ap-singapore', /^[a-z0-9-]{1,64}$/)
  TKE_REGION?: string;

  @Text('the name of an identity provider', /^[\w+=,.@-]{1,128}$/)
  TKE_PROVIDER_ID?: string;

  @FilePath()
  TKE_WEB_IDENTITY_TOKEN_FILE?: string;

  @Text('the resource name of a CAM role, such as qcs::cam::uin/1:roleName/stop', /^qcs:[\w:/+=,.@-]{1,256}$/)
  TKE_ROLE_ARN?: string;

  @IsDefined({ message: '$property is missing' })
  @WholeNumber(1, Number.MAX_SAFE_INTEGER)
  TRTC_SDK_APP_ID?: string;

  @OneOf(STOP_STREAM_INGEST_REGIONS)
  TRTC_REGION = 'ap-singapore';

  @Origin()
  TRTC_ENDPOINT = 'https://trtc.intl.tencentcloudapi.com';

  @FilePath()
  CALLERS_FILE?: string;

  @OneOf(['true', 'false'])
  ALLOW_ANONYMOUS = 'false';

  @WholeNumber(1, 1000)
  QUOTA_PER_SECOND = '20';

  @WholeNumber(0, 30_000)
  QUOTA_DEFAULT_WAIT_MS = '0';

  @WholeNumber(0, 10_000)
  QUOTA_QUEUE_LIMIT = '200';

  @RedisUrl()
  REDIS_URL?: string;

  @HttpOrigin()
  UPSTREAM_PROXY?: string;

  @FilePath()
  UPSTREAM_PROXY_CREDENTIALS_FILE?: string;

  @WholeNumber(1, 60_000)
  UPSTREAM_ATTEMPT_TIMEOUT_MS = '3000';

  @WholeNumber(1, 120_000)
  UPSTREAM_DEADLINE_MS = '8000';

  @WholeNumber(1, 10)
  UPSTREAM_MAX_ATTEMPTS = '3';

  @WholeNumber(1000, 7_200_000)
  KEEP_ALIVE_TIMEOUT_MS = '72000';

  @WholeNumber(1000, 604_800_000)
  ASYNC_STOP_TTL_MS = '86400000';

  @WholeNumber(1, 100_000)
  ASYNC_STOPS_LIMIT = '10000';

  @WholeNumber(0, 600_000)
  SHUTDOWN_GRACE_MS = '10000';

  @OneOf(LOG_LEVELS)
  LOG_LEVEL = 'info';

  /** `production`, which the image sets: log entries are JSON also on a terminal. */
  NODE_ENV = '';

  /** The commit that was built; the image sets it. */
  @Text('a revision', /^[\w.-]{1,64}$/)
  GATEWAY_REVISION = 'unknown';
}
