import { ValidateIf } from 'class-validator';
import { EnvRule, parseUrl, Text } from './env-rule.js';

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'];

/** Not validated without tracing, because these variables are often set for all programs of a machine. */
const IfTracing = () => ValidateIf((environment: TracingEnvironment) => isTracingEnabled(environment));

const CollectorUrl = () =>
  EnvRule('collectorUrl', 'an http or https URL without user, query and fragment', (value) => {
    const url = parseUrl(value);
    if (!url) return false;
    const { protocol, username, password, search, hash } = url;
    return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
  });

const KeyValueList = (expectation: string, name: RegExp, value: RegExp) =>
  EnvRule('keyValueList', expectation, (text) => {
    const pairs = parseKeyValueList(text);
    return pairs?.every(([key, content]) => name.test(key) && value.test(content)) ?? false;
  });

/** Like {@link OneOf}, for the enumerations of OpenTelemetry, in which case does not matter. */
const OneOfIgnoringCase = (values: readonly string[]) =>
  EnvRule('oneOf', `one of ${values.join(', ')}`, (value) => values.includes(value.toLowerCase()));

/**
 * The environment variables of OpenTelemetry that the gateway supports. Its libraries read none of them.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export class TracingEnvironment {
  /** Any value but `true` means false. */
  OTEL_SDK_DISABLED = 'false';

  @IfTracing()
  @CollectorUrl()
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  @IfTracing()
  @KeyValueList('name=value pairs with commas between them', /^[\w!#$%&'*+.^`|~-]+$/, /^[\x20-\x7e]*$/)
  OTEL_EXPORTER_OTLP_HEADERS = '';

  @IfTracing()
  @OneOfIgnoringCase(['http/protobuf', 'http/json'])
  OTEL_EXPORTER_OTLP_PROTOCOL = 'http/protobuf';

  @IfTracing()
  @Text('a name', /^\P{Cc}{1,256}$/u)
  OTEL_SERVICE_NAME?: string;

  @IfTracing()
  @KeyValueList('name=value pairs with commas between them', /^\P{Cc}+$/u, /^\P{Cc}*$/u)
  OTEL_RESOURCE_ATTRIBUTES = '';

  @IfTracing()
  @OneOfIgnoringCase([...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}`)])
  OTEL_TRACES_SAMPLER = 'parentbased_always_on';

  @IfTracing()
  @EnvRule('ratio', 'a number from 0 to 1', isRatio)
  OTEL_TRACES_SAMPLER_ARG = '1';
}

/** Builds the configuration of traces from a valid environment; undefined without tracing. */
export function buildTracingConfig(environment: TracingEnvironment) {
  if (!isTracingEnabled(environment)) return undefined;
  const headers = Object.fromEntries(parseKeyValueList(environment.OTEL_EXPORTER_OTLP_HEADERS) ?? []);
  return {
    /** The collector's endpoint for OTLP over HTTP. */
    url: tracesUrl(environment.OTEL_EXPORTER_OTLP_ENDPOINT!),
    /** Sent with each export. They may contain a secret; a function shows nothing when it is logged. */
    headers: () => headers,
    protocol: environment.OTEL_EXPORTER_OTLP_PROTOCOL.toLowerCase() as 'http/protobuf' | 'http/json',
    /** The resource attributes. */
    resource: {
      'service.name': 'ingest-gateway',
      ...Object.fromEntries(parseKeyValueList(environment.OTEL_RESOURCE_ATTRIBUTES) ?? []),
      ...(environment.OTEL_SERVICE_NAME !== undefined && { 'service.name': environment.OTEL_SERVICE_NAME }),
    },
    sampler: environment.OTEL_TRACES_SAMPLER.toLowerCase(),
    /** The fraction of traces that a ratio sampler keeps, from 0 to 1. */
    ratio: Number(environment.OTEL_TRACES_SAMPLER_ARG),
  };
}

export type TracingConfig = NonNullable<ReturnType<typeof buildTracingConfig>>;

function isRatio(value: string): boolean {
  return /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) && Number(value) <= 1;
}

/** Built from the URL as it was validated: the text may have blanks at its ends, or an empty query or fragment. */
function tracesUrl(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint);
  return `${origin}${pathname.replace(/\/+$/, '')}/v1/traces`;
}

function isTracingEnabled(environment: TracingEnvironment): boolean {
  return (
    environment.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined &&
    environment.OTEL_SDK_DISABLED.toLowerCase() !== 'true'
  );
}

/** Parses a list such as `name=value,other=its%20value`; undefined when the text is not such a list. */
function parseKeyValueList(text: string): [name: string, value: string][] | undefined {
  const pairs: [string, string][] = [];
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const separator = pair.indexOf('=');
    if (separator < 1) return undefined;
    try {
      pairs.push([pair.slice(0, separator).trim(), decodeURIComponent(pair.slice(separator + 1).trim())]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}
