import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clientAddressBehind, parseTrustedProxies } from './client-address.js';

const TRUSTED = '10.0.0.0/8, 2001:db8::/32,192.0.2.1';
const proxies = parseTrustedProxies(TRUSTED, () => {});

const invalidEntries = (text: string): number[] => {
  const positions: number[] = [];
  parseTrustedProxies(text, (position) => positions.push(position));
  return positions;
};

describe('parseTrustedProxies', () => {
  it('accepts addresses and CIDRs', () => {
    expect(invalidEntries(TRUSTED)).toEqual([]);
    expect(invalidEntries('::1,::ffff:10.0.0.1,10.0.0.1/32,::/0')).toEqual([]);
  });

  it('names the position of every invalid entry', () => {
    expect(
      invalidEntries('10.0.0.0/33,10.0.0.1,proxy,::1/129,,10.0.0.1/,1.2.3.4/8/8,fe80::1%eth0,010.0.0.1'),
    ).toEqual([1, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('clientAddressBehind', () => {
  it.each([
    [
      'is the peer when the peer is no trusted proxy',
      '203.0.113.9',
      { 'x-forwarded-for': '1.1.1.1' },
      '203.0.113.9',
    ],
    ['is the peer without a header', '10.0.0.1', {}, '10.0.0.1'],
    ['is the last entry', '10.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    ['ignores spoofed entries', '10.0.0.1', { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' }, '203.0.113.9'],
    [
      'skips trusted proxies',
      '10.0.0.1',
      { 'x-forwarded-for': '1.1.1.1, 203.0.113.9, 192.0.2.1,10.2.2.2' },
      '203.0.113.9',
    ],
    [
      'is the first entry when all are trusted',
      '10.0.0.1',
      { 'x-forwarded-for': '10.0.0.3, 10.0.0.2' },
      '10.0.0.3',
    ],
    [
      'is the last known proxy when a hop is unknown',
      '10.0.0.1',
      { 'x-forwarded-for': '203.0.113.9, unknown, 10.0.0.2' },
      '10.0.0.2',
    ],
    ['is the proxy when the entry is no address', '10.0.0.1', { 'x-forwarded-for': '<script>' }, '10.0.0.1'],
    ['has no port', '10.0.0.1', { 'x-forwarded-for': '203.0.113.9:4711' }, '203.0.113.9'],
    ['may be IPv6', '10.0.0.1', { 'x-forwarded-for': '2001:DB9:0::1' }, '2001:db9::1'],
    ['may be IPv6 with a port', '10.0.0.1', { 'x-forwarded-for': '[2001:db9::1]:80' }, '2001:db9::1'],
    [
      'recognizes an IPv4-mapped proxy',
      '::ffff:10.0.0.1',
      { 'x-forwarded-for': '::ffff:cb00:7109' },
      '203.0.113.9',
    ],
    ['recognizes an IPv6 proxy', '2001:db8::7', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    [
      'comes from Forwarded',
      '10.0.0.1',
      { forwarded: 'for=1.1.1.1, For="203.0.113.9:80";proto=https;by=10.0.0.1' },
      '203.0.113.9',
    ],
    [
      'comes from Forwarded as IPv6',
      '10.0.0.1',
      { forwarded: 'by=x;for="[2001:db9::1]:4711"' },
      '2001:db9::1',
    ],
    [
      'is not in a quoted value',
      '10.0.0.1',
      { forwarded: 'for=203.0.113.9;host="a,for=1.1.1.1"' },
      '203.0.113.9',
    ],
    [
      'is not in a quoted pair',
      '10.0.0.1',
      { forwarded: 'host="a;for=1.1.1.1";for=203.0.113.9' },
      '203.0.113.9',
    ],
    [
      'is the proxy when Forwarded hides it',
      '10.0.0.1',
      { forwarded: 'for=1.1.1.1, for=_hidden' },
      '10.0.0.1',
    ],
    [
      'is the proxy when Forwarded is malformed',
      '10.0.0.1',
      { forwarded: 'for=1.1.1.1, for="203.0.113.9' },
      '10.0.0.1',
    ],
    [
      'comes from both headers when they agree',
      '10.0.0.1',
      { forwarded: 'for=203.0.113.9', 'x-forwarded-for': '203.0.113.9' },
      '203.0.113.9',
    ],
    [
      'is the proxy when the headers disagree',
      '10.0.0.1',
      { forwarded: 'for=1.1.1.1', 'x-forwarded-for': '203.0.113.9' },
      '10.0.0.1',
    ],
    [
      'does not depend on other headers',
      '10.0.0.1',
      { 'x-real-ip': '1.1.1.1', 'x-forwarded-host': '1.1.1.1' },
      '10.0.0.1',
    ],
  ])('%s', (_, peer, headers, expected) => {
    expect(clientAddressBehind(proxies, peer, headers)).toBe(expected);
  });

  it('never depends on what a client writes left of the entry of a trusted proxy', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (spoofed) => {
        const headers = { 'x-forwarded-for': `${spoofed}, 203.0.113.9, 10.0.0.2` };
        expect(clientAddressBehind(proxies, '10.0.0.1', headers)).toBe('203.0.113.9');
      }),
    );
  });

  it('accepts any Forwarded header in a time that grows with its length alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('"', '\\', ',', 'for=', '1.1.1.1', ';'), { maxLength: 2000 }),
        (parts) => {
          const client = clientAddressBehind(proxies, '10.0.0.1', { forwarded: parts.join('') });
          expect(['10.0.0.1', '1.1.1.1']).toContain(client);
        },
      ),
    );
  });
});
