import { describe, expect, it } from '@jest/globals';
import { Credentials } from '#libs/tencent-cloud';
import { ENVIRONMENT_VARIABLES } from '../../../../test/contract/environment-variables.js';
import { readConfiguration } from './configuration.js';
import { Environment } from './environment.js';
import { InvalidConfigurationError } from './invalid-configuration.error.js';

const VALID = {
  TENCENTCLOUD_SECRET_ID: 'AKIDexample',
  TENCENTCLOUD_SECRET_KEY: 'not-a-key-of-anybody',
  TRTC_SDK_APP_ID: '1400000001',
  ALLOW_ANONYMOUS: 'true',
};

function errorsOf(variables: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfiguration(variables);
  } catch (error) {
    if (error instanceof InvalidConfigurationError) return error.errors;
    throw error;
  }
  return [];
}

describe('readConfiguration', () => {
  it('returns the default values of the contract', () => {
    expect(readConfiguration(VALID)).toEqual({
      http: { host: '0.0.0.0', port: 3000, keepAliveTimeoutMs: 72_000 },
      auth: { callersFile: undefined },
      quota: { perSecond: 20, defaultWaitMs: 0, queueLimit: 200 },
      redis: { target: undefined },
      tencentCloud: {
        credentials: { source: 'environment', credentials: expect.any(Credentials) },
        defaultSdkAppId: 1400000001,
        defaultRegion: 'ap-singapore',
        endpoint: new URL('https://trtc.intl.tencentcloudapi.com'),
        attemptTimeoutMs: 3000,
        deadlineMs: 8000,
        maxAttempts: 3,
      },
      asyncStops: { ttlMs: 86_400_000, limitPerCaller: 10_000 },
      tracing: { otlp: undefined },
      lifecycle: { shutdownGraceMs: 10_000 },
      logging: { level: 'info', isProduction: false },
      build: { revision: 'unknown' },
    });
  });

  it('returns the value of every variable that is set', () => {
    const set = {
      HOST: '127.0.0.1',
      PORT: '0',
      TRTC_REGION: 'ap-mumbai',
      KEEP_ALIVE_TIMEOUT_MS: '600000',
      TRTC_ENDPOINT: 'http://127.0.0.1:9',
      QUOTA_PER_SECOND: '1000',
      QUOTA_DEFAULT_WAIT_MS: '30000',
      QUOTA_QUEUE_LIMIT: '0',
      REDIS_URL: 'redis://host',
      UPSTREAM_ATTEMPT_TIMEOUT_MS: '1',
      UPSTREAM_DEADLINE_MS: '2',
      UPSTREAM_MAX_ATTEMPTS: '10',
      SHUTDOWN_GRACE_MS: '600000',
      LOG_LEVEL: 'silent',
      NODE_ENV: 'production',
      GATEWAY_REVISION: 'abc123',
    };
    expect(readConfiguration({ ...VALID, ...set })).toMatchObject({
      http: { host: '127.0.0.1', port: 0, keepAliveTimeoutMs: 600_000 },
      quota: { perSecond: 1000, defaultWaitMs: 30_000, queueLimit: 0 },
      redis: { target: { hosts: 'host' } },
      tencentCloud: {
        defaultRegion: 'ap-mumbai',
        endpoint: new URL('http://127.0.0.1:9'),
        attemptTimeoutMs: 1,
        deadlineMs: 2,
        maxAttempts: 10,
      },
      lifecycle: { shutdownGraceMs: 600_000 },
      logging: { level: 'silent', isProduction: true },
      build: { revision: 'abc123' },
    });
  });

  it('reads exactly the variables of the contract, with their defaults', () => {
    const defaults = Object.entries(ENVIRONMENT_VARIABLES).map(([name, variable]) => [
      name,
      variable.default,
    ]);
    expect(Object.fromEntries(Object.entries(new Environment()))).toStrictEqual(Object.fromEntries(defaults));
  });

  it.each(
    Object.entries(ENVIRONMENT_VARIABLES).flatMap(
      ([
        name,
        {
          invalid: [value, ...errors],
        },
      ]) => (value === undefined ? [] : [{ name, value, errors }]),
    ),
  )('rejects $name=$value with this message', ({ name, value, errors }) => {
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(errorsOf({ ...VALID, ...tracing, [name]: value })).toEqual(errors);
  });

  it.each(['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_TRACES_SAMPLER', 'OTEL_RESOURCE_ATTRIBUTES'])(
    'does not validate %s without tracing',
    (name) => {
      expect(errorsOf({ ...VALID, [name]: 'x' })).toEqual([]);
    },
  );

  it('treats an empty variable as unset', () => {
    expect(readConfiguration({ ...VALID, PORT: '', TRTC_REGION: '' })).toEqual(readConfiguration(VALID));
    expect(errorsOf({ ...VALID, TENCENTCLOUD_SECRET_KEY: '' })).toEqual([
      'TENCENTCLOUD_SECRET_KEY is missing',
    ]);
  });

  it('ignores variables of other programs', () => {
    expect(errorsOf({ ...VALID, PATH: '/bin', constructor: 'x', __proto__: 'y' })).toEqual([]);
  });

  it.each([
    ['PORT', '3000x'],
    ['HOST', '::g'],
    ['HOST', '[::1]'],
    ['HOST', '1.2.3'],
    ['HOST', '300.1.1.1'],
    ['HOST', 'a host'],
    ['TRTC_SDK_APP_ID', '0'],
    ['TRTC_SDK_APP_ID', '9007199254740992'],
    ['TRTC_ENDPOINT', 'http://127.0.0.1.example.com'],
    ['TRTC_ENDPOINT', 'https://host/path'],
    ['TRTC_ENDPOINT', 'https://user:pw@host'],
    ['TRTC_ENDPOINT', 'host'],
    ['TRTC_ENDPOINT', 'https://host:0'],
    ['TENCENTCLOUD_STS_ENDPOINT', 'https://host:0'],
    ['UPSTREAM_PROXY', 'http://host:0'],
    ['UPSTREAM_PROXY', 'https://host'],
    ['UPSTREAM_PROXY', 'http://user:pw@host'],
    ['QUOTA_PER_SECOND', '0'],
    ['QUOTA_PER_SECOND', '-20'],
    ['QUOTA_QUEUE_LIMIT', '-1'],
    ['REDIS_URL', 'redis://host/not-a-number'],
    ['REDIS_URL', 'redis://:100%-secret@host'],
    ['REDIS_URL', 'redis://host/3?cluster=true'],
    ['REDIS_URL', 'host:6379'],
    ['UPSTREAM_ATTEMPT_TIMEOUT_MS', '3s'],
    ['SHUTDOWN_GRACE_MS', '1.5'],
    ['LOG_LEVEL', 'verbose-like-never-before'],
  ])('reports %s by name when it is %j, and does not show the value', (name, value) => {
    const errors = errorsOf({ ...VALID, [name]: value });
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))]);
    // The message may contain a short value by chance.
    expect(value.length > 5 && errors[0]!.includes(value)).toBe(false);
  });

  it.each(['0.0.0.0', '::', '::1', '::ffff:127.0.0.1', 'localhost', 'gateway_1.internal'])(
    'accepts the HOST %s',
    (host) => {
      expect(readConfiguration({ ...VALID, HOST: host }).http.host).toBe(host);
    },
  );

  it('lists every error', () => {
    const wrong = { PORT: 'x', TRTC_REGION: 'x', QUOTA_PER_SECOND: 'x', LOG_LEVEL: 'x' };
    expect(errorsOf({ ...VALID, ...wrong }).map((error) => error.split(' ')[0])).toEqual(Object.keys(wrong));
  });
});
