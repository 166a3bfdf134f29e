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
    ['either, alike', 'text/plain, application/openmetrics-text'],
    ['other letters', 'Application/OpenMetrics-Text;Version=1.0.0'],
  ])('%s does', (_who, accept) => {
    expect(acceptsOpenMetrics(accept)).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['anything', '*/*'],
    ['a browser', BROWSER],
    ['text alone', 'text/plain;version=0.0.4'],
    ['text rather', 'application/openmetrics-text;q=0.2,text/plain;q=0.5'],
    ['anything rather', 'application/openmetrics-text;q=0.2,*/*'],
    ['the type refused', 'application/openmetrics-text;q=0, text/plain'],
    ['a version that cannot be had', 'application/openmetrics-text;version=0.0.1,text/plain;q=0.1'],
    ['a quality that is none', 'application/openmetrics-text;q=loud'],
    ['a type that begins alike', 'application/openmetrics-text-of-mine'],
  ])('%s does not', (_who, accept) => {
    expect(acceptsOpenMetrics(accept)).toBe(false);
  });
});
