import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { readFaultless, readWithCare, stopFaults } from './stop-request.js';

const rarely = (...values: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...values));

const given = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const requests = fc
  .record({
    id: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constantFrom('a-task', 'a+b/c=', '', '\u0000', 'a\nb'),
    ),
    sdkAppId: rarely('1400000001', '0', '01', '-1', '1e3', '', '99999999999999999999', ['1', '2']),
    region: rarely('ap-singapore', 'ap-bangkok', 'eu-frankfurt', '', ['ap-singapore', 'ap-jakarta']),
    unknown: rarely('ap-singapore'),
    length: rarely('0', '5'),
    encoding: rarely('chunked'),
    prefer: rarely('wait=5', 'wait=x'),
  })
  .map(({ id, sdkAppId, region, unknown, length, encoding, prefer }) => ({
    params: { id },
    query: given({ sdkAppId, region, Region: unknown }),
    headers: given({ 'content-length': length, 'transfer-encoding': encoding, prefer }),
    // Node reads no body that neither of the two announces.
    body: length === '5' || encoding ? Buffer.from('{"a":1}') : undefined,
  }))
  .map((request) => request as unknown as FastifyRequest);

describe('a request read at a glance', () => {
  it('has no fault, and says what it says when it is read in full', () => {
    let read = 0;
    fc.assert(
      fc.property(requests, (request) => {
        const stop = readFaultless(request);
        if (!stop) return;
        read += 1;
        expect(stopFaults(request)).toEqual([]);
        expect(stop).toEqual(readWithCare(request));
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it.each([{}, { sdkAppId: '1400000001' }, { region: 'ap-mumbai', sdkAppId: '1' }])(
    'is the usual one: %j',
    (query) => {
      const request = { params: { id: 'a-task' }, query, headers: {} } as unknown as FastifyRequest;
      expect(readFaultless(request)).toEqual(readWithCare(request));
    },
  );
});
