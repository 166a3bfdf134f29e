import { ValidateIf } from 'class-validator';
import { EnvRule, OneOf, Text } from './env-rule.js';
import { parseKeyValueList } from './key-value-list.js';

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'];

/** Not validated without tracing, because these variables are often set for all programs of a machine. */
const IfTracing = () => ValidateIf((environment: TracingEnvironment) => isTracingEnabled(environment));

const CollectorUrl = () =>
  EnvRule('collectorUrl', 'an http or https URL without user, query and fragment', (value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, username, password, search, hash } = new URL(value);
    return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
  });

const KeyValueList = (expectation: string, name: RegExp, value: RegExp) =>
  EnvRule('keyValueList', expectation, (text) => {
    const pairs = parseKeyValueList(text);
    return pairs?.every(([key, content]) => name.test(key) && value.test(content)) ?? false;
  });

/** The environment variables of OpenTelemetry that the gateway supports. Its libraries read none of them. */
export class TracingEnvironment {
  @OneOf(['true', 'false'])
  OTEL_SDK_DISABLED = 'false';

  @IfTracing()
  @CollectorUrl()
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  @IfTracing()
  @KeyValueList('name=value pairs with commas between them', /^[\w!#$%&'*+.^`|~-]+$/, /^[\x20-\x7e]*$/)
  OTEL_EXPORTER_OTLP_HEADERS = '';

  @IfTracing()
  @OneOf(['http/protobuf', 'http/json'])
  OTEL_EXPORTER_OTLP_PROTOCOL = 'http/protobuf';

  @IfTracing()
  @Text('a name', /^\P{Cc}{1,256}$/u)
  OTEL_SERVICE_NAME = 'ingest-gateway';

  @IfTracing()
  @KeyValueList('name=value pairs with commas between them', /^\P{Cc}+$/u, /^\P{Cc}*$/u)
  OTEL_RESOURCE_ATTRIBUTES = '';

  @IfTracing()
  @OneOf([...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}`)])
  OTEL_TRACES_SAMPLER = 'parentbased_always_on';

  @IfTracing()
  @EnvRule('ratio', 'a number from 0 to 1', (value) => /^[\d.]+$/.test(value) && Number(value) <= 1)
  OTEL_TRACES_SAMPLER_ARG = '1';
}

export function isTracingEnabled(environment: TracingEnvironment): boolean {
  return environment.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && environment.OTEL_SDK_DISABLED !== 'true';
}
