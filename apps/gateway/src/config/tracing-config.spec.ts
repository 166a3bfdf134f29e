import { describe, expect, it } from '@jest/globals';
import { readConfiguration } from './configuration.js';
import { InvalidConfigurationError } from './invalid-configuration.error.js';

const VALID = {
  TENCENTCLOUD_SECRET_ID: 'AKIDexample',
  TENCENTCLOUD_SECRET_KEY: 'not-a-key-of-anybody',
  TRTC_SDK_APP_ID: '1400000001',
  ALLOW_ANONYMOUS: 'true',
};
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

const tracing = (variables: NodeJS.ProcessEnv) => readConfiguration({ ...VALID, ...variables }).tracing.otlp;

describe('the configuration of tracing', () => {
  it('is undefined without an endpoint, and when the SDK is disabled', () => {
    expect(tracing({})).toBeUndefined();
    expect(tracing({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  });

  it('has the default values of OpenTelemetry', () => {
    const { headers, ...others } = tracing(ENDPOINT)!;
    expect(headers()).toEqual({});
    expect(others).toEqual({
      url: 'http://collector:4318/v1/traces',
      protocol: 'http/protobuf',
      resource: { 'service.name': 'ingest-gateway' },
      sampler: 'parentbased_always_on',
      ratio: 1,
    });
  });

  it('is read from the variables of OpenTelemetry', () => {
    const { headers, ...others } = tracing({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/prefix//',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key = a%20secret=, ,x-other=1',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'a name',
      OTEL_RESOURCE_ATTRIBUTES: 'team=media,service.name=ignored,empty=',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    })!;
    expect(headers()).toEqual({ 'x-key': 'a secret=', 'x-other': '1' });
    expect(others).toEqual({
      url: 'https://collector/prefix/v1/traces',
      protocol: 'http/json',
      resource: { team: 'media', empty: '', 'service.name': 'a name' },
      sampler: 'traceidratio',
      ratio: 0.25,
    });
  });

  it('has the service name of the resource attributes, unless OTEL_SERVICE_NAME is set', () => {
    const OTEL_RESOURCE_ATTRIBUTES = 'service.name=from-attributes';
    expect(tracing({ ...ENDPOINT, OTEL_RESOURCE_ATTRIBUTES })!.resource).toEqual({
      'service.name': 'from-attributes',
    });
    expect(
      tracing({ ...ENDPOINT, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'from-name' })!.resource,
    ).toEqual({ 'service.name': 'from-name' });
  });

  it.each(['true', 'True', 'TRUE'])('is undefined with OTEL_SDK_DISABLED=%s', (OTEL_SDK_DISABLED) => {
    expect(tracing({ ...ENDPOINT, OTEL_SDK_DISABLED })).toBeUndefined();
  });

  it.each(['', 'False', '1', 'yes'])('is defined with OTEL_SDK_DISABLED=%s', (OTEL_SDK_DISABLED) => {
    expect(tracing({ ...ENDPOINT, OTEL_SDK_DISABLED })).toBeDefined();
  });

  it('does not depend on the case of a sampler and of a protocol', () => {
    expect(
      tracing({
        ...ENDPOINT,
        OTEL_TRACES_SAMPLER: 'ParentBased_TraceIdRatio',
        OTEL_TRACES_SAMPLER_ARG: '5e-1',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/JSON',
      }),
    ).toMatchObject({ sampler: 'parentbased_traceidratio', ratio: 0.5, protocol: 'http/json' });
  });

  it.each([
    ' http://collector:4318 ',
    'http://collector:4318#',
    'http://collector:4318/?',
    'HTTP://Collector:4318',
  ])('has the validated URL of the endpoint %j', (endpoint) => {
    expect(tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })!.url).toBe('http://collector:4318/v1/traces');
  });

  it('contains no header as JSON', () => {
    const configuration = tracing({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a-secret' });
    expect(JSON.stringify(configuration)).not.toContain('a-secret');
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:0'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'xhttp://collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'httpx://collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user@collector'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector?key=1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector#part'],
    ['OTEL_EXPORTER_OTLP_HEADERS', '=value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'name=1,other'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'name=%'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a name=1'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'name=%0a'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'name=%0a'],
    ['OTEL_SERVICE_NAME', 'a'.repeat(257)],
    ['OTEL_TRACES_SAMPLER', 'traceidratio_always'],
    ['OTEL_TRACES_SAMPLER_ARG', '-1'],
    ['OTEL_TRACES_SAMPLER_ARG', '1e1'],
    ['OTEL_TRACES_SAMPLER_ARG', '.'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.01'],
  ])('rejects %s=%s', (name, value) => {
    expect(() => tracing({ ...ENDPOINT, [name]: value })).toThrow(InvalidConfigurationError);
    expect(() => tracing({ ...ENDPOINT, [name]: value })).toThrow(`${name} must be `);
  });
});
