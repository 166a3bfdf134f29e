import { describe, expect, it } from '@jest/globals';
import { parseRedisUrl } from './parse-redis-url.js';

const SERVER = { isCluster: false, hasTls: false, username: '', database: 0 };
const CLUSTER = { ...SERVER, isCluster: true };
const address = (host: string, port = 6379) => ({ host, port });

describe('parseRedisUrl', () => {
  it.each([
    ['redis://redis', { ...SERVER, addresses: [address('redis')], hosts: 'redis' }],
    ['redis://10.0.0.1/0', { ...SERVER, addresses: [address('10.0.0.1')], hosts: '10.0.0.1' }],
    ['redis://redis:6380/15', { ...SERVER, addresses: [address('redis', 6380)], database: 15 }],
    ['redis://[::1]:7/', { ...SERVER, addresses: [address('::1', 7)], hosts: '[::1]:7' }],
    [
      'rediss://my-redis_1.internal',
      { ...SERVER, hasTls: true, addresses: [address('my-redis_1.internal')] },
    ],
    ['REDIS://redis', { ...SERVER, addresses: [address('redis')] }],
    ['redis://one?cluster=true', { ...CLUSTER, addresses: [address('one')] }],
    [
      'redis://one:1,[::1],three:3?cluster=true',
      { ...CLUSTER, addresses: [address('one', 1), address('::1'), address('three', 3)] },
    ],
    ['rediss://u@one/0?cluster=true', { ...CLUSTER, hasTls: true, username: 'u' }],
  ])('reads %s', (url, target) => {
    expect(parseRedisUrl(url)).toMatchObject(target);
  });

  it.each([
    ['redis://h', '', ''],
    ['redis://:p%40s%25s@h', '', 'p@s%s'],
    ['redis://us%3Aer:a:b@h', 'us:er', 'a:b'],
    ['redis://user@h', 'user', ''],
    ['redis://:%E2%82%AC@h', '', '€'],
  ])('decodes the user and the password of %s', (url, username, password) => {
    const target = parseRedisUrl(url);
    expect(target).toMatchObject({ username });
    expect(target!.password()).toBe(password);
  });

  it.each([
    ['a raw percent sign in the password', 'redis://:100%@h'],
    ['a raw percent sign in the user', 'redis://a%zz:b@h'],
    ['an encoding that is not UTF-8', 'redis://:%ff@h'],
    ['a percent sign in the host', 'redis://h%41'],
    ['a database that is not a number', 'redis://h/abc'],
    ['a negative database', 'redis://h/-1'],
    ['a path after the database', 'redis://h/1/2'],
    ['a database of a cluster', 'redis://h/1?cluster=true'],
    ['several hosts without a cluster', 'redis://a,b'],
    ['an empty host', 'redis://a,,b?cluster=true'],
    ['no host', 'redis://'],
    ['no host after the password', 'redis://:pw@'],
    ['port 0', 'redis://h:0'],
    ['port 65536', 'redis://h:65536'],
    ['a port that is not a number', 'redis://h:port'],
    ['an IPv6 address without brackets', 'redis://::1'],
    ['brackets around another text', 'redis://[1.2.3]'],
    ['another option', 'redis://h?family=6'],
    ['a fragment', 'redis://h#part'],
    ['another protocol', 'http://h'],
    ['no protocol', 'h:6379'],
    ['a line break at the end', 'redis://h\n'],
    ['a blank', 'redis://:a b@h'],
  ])('rejects %s', (_, url) => {
    expect(parseRedisUrl(url)).toBeUndefined();
  });

  it('hides the password in JSON', () => {
    expect(JSON.stringify(parseRedisUrl('redis://:hunter2@h'))).not.toContain('hunter2');
  });
});
