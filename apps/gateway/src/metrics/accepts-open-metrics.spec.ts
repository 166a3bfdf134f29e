import { describe, expect, it } from '@jest/globals';
import { acceptsOpenMetrics } from './accepts-open-metrics.js';

const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('acceptsOpenMetrics', () => {
  it.each([
    ['Prometheus 2', PROMETHEUS_2],
    ['Prometheus 3', PROMETHEUS_3],
    ['the type alone', 'application/openmetrics-text'],
    ['the type and version', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['a quoted version', 'application/openmetrics-text; version="1.0.0"'],
    ['both with the same quality', 'text/plain, application/openmetrics-text'],
    ['another type that is preferred', 'application/openmetrics-text;q=0.2,text/html'],
    [
      'another version of the text format that is preferred',
      'application/openmetrics-text;q=0.2,text/plain;version=1.0.0',
    ],
    ['a type with the suffix of text', 'application/openmetrics-text;q=0.2,x-text/plain'],
    ['upper-case letters', 'Application/OpenMetrics-Text;Version=1.0.0'],
  ])('returns true for %s', (_name, accept) => {
    expect(acceptsOpenMetrics(accept)).toBe(true);
  });

  it.each([
    ['a missing header', undefined],
    ['an empty header', ''],
    ['any type', '*/*'],
    ['a browser', BROWSER],
    ['the text format alone', 'text/plain;version=0.0.4'],
    ['a preferred text format', 'application/openmetrics-text;q=0.2,text/plain;q=0.5'],
    ['any type preferred', 'application/openmetrics-text;q=0.2,*/*'],
    ['the type with quality 0', 'application/openmetrics-text;q=0, text/plain'],
    ['an unsupported version', 'application/openmetrics-text;version=0.0.1,text/plain;q=0.1'],
    ['an invalid quality', 'application/openmetrics-text;q=loud'],
    ['a type with the same suffix', 'x-application/openmetrics-text'],
    ['a type with the same prefix', 'application/openmetrics-text-of-mine'],
  ])('returns false for %s', (_name, accept) => {
    expect(acceptsOpenMetrics(accept)).toBe(false);
  });
});
