import { describe, expect, it } from '@jest/globals';
import { checkAction } from './action.js';

const HEADERS = {
  'x-tc-action': 'StopStreamIngest',
  'x-tc-version': '2019-07-22',
  'x-tc-region': 'ap-mumbai',
};

function check(headers: Record<string, string>): () => void {
  return () => checkAction({ method: 'POST', target: '/', headers, body: Buffer.alloc(0) });
}

describe('checkAction', () => {
  it.each(['ap-bangkok', 'ap-jakarta', 'ap-mumbai', 'ap-singapore'])(
    'accepts StopStreamIngest in %s',
    (region) => {
      expect(check({ ...HEADERS, 'x-tc-region': region })).not.toThrow();
    },
  );

  it.each([
    ['InvalidAction', { 'x-tc-action': 'stopstreamingest' }],
    ['InvalidAction', { 'x-tc-action': 'StartStreamIngest' }],
    ['NoSuchVersion', { 'x-tc-version': '2017-03-12' }],
    ['UnsupportedRegion', { 'x-tc-region': 'ap-guangzhou' }],
    ['MissingParameter', { 'x-tc-action': '' }],
    ['MissingParameter', { 'x-tc-version': '' }],
    ['MissingParameter', { 'x-tc-region': '' }],
  ])('throws %s for %j', (code, change) => {
    expect(check({ ...HEADERS, ...change })).toThrow(expect.objectContaining({ code }));
  });
});
