import { ValidateIf } from 'class-validator';
import { pairsOf } from './pairs.js';
import { OneOf, rule, Text } from './rules.js';

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'];

/** Often set for all programs of a machine: where no traces are wanted, nothing is said about them. */
const WhereWanted = () => ValidateIf((environment: TracingEnvironment) => wantsTraces(environment));

const CollectorUrl = () =>
  rule('collectorUrl', 'an http or https URL without user, query and fragment', (value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, username, password, search, hash } = new URL(value);
    return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
  });

const Pairs = (must: string, name: RegExp, value: RegExp) =>
  rule('pairs', must, (text) => {
    const pairs = pairsOf(text);
    return pairs?.every(([key, each]) => name.test(key) && value.test(each)) ?? false;
  });

/** The variables of OpenTelemetry that the gateway obeys; it reads no other, and its libraries read none. */
export class TracingEnvironment {
  @OneOf(['true', 'false'])
  OTEL_SDK_DISABLED = 'false';

  @WhereWanted()
  @CollectorUrl()
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  @WhereWanted()
  @Pairs('name=value pairs with commas between them', /^[\w!#$%&'*+.^`|~-]+$/, /^[\x20-\x7e]*$/)
  OTEL_EXPORTER_OTLP_HEADERS = '';

  @WhereWanted()
  @OneOf(['http/protobuf', 'http/json'])
  OTEL_EXPORTER_OTLP_PROTOCOL = 'http/protobuf';

  @WhereWanted()
  @Text('a name', /^\P{Cc}{1,256}$/u)
  OTEL_SERVICE_NAME = 'ingest-gateway';

  @WhereWanted()
  @Pairs('name=value pairs with commas between them', /^\P{Cc}+$/u, /^\P{Cc}*$/u)
  OTEL_RESOURCE_ATTRIBUTES = '';

  @WhereWanted()
  @OneOf([...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}`)])
  OTEL_TRACES_SAMPLER = 'parentbased_always_on';

  @WhereWanted()
  @rule('ratio', 'a number from 0 to 1', (value) => /^[\d.]+$/.test(value) && Number(value) <= 1)
  OTEL_TRACES_SAMPLER_ARG = '1';
}

export function wantsTraces(environment: TracingEnvironment): boolean {
  return environment.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && environment.OTEL_SDK_DISABLED !== 'true';
}
