import { describe, expect, it } from '@jest/globals';
import { isSecret, isSecretId } from './credentials.js';

describe('isSecretId', () => {
  it.each(['A', 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3', '!"#$%&\'()*+-.09:;<=>?@AZ[\\]^_`az{|}~'])(
    'returns true for %j',
    (text) => {
      expect(isSecretId(text)).toBe(true);
    },
  );

  it.each(['', ' A', 'A ', 'A B', 'A\n', '\nA', ',A', 'A,', '/A', 'A/B', 'Ï', 'A\u007f', 1])(
    'returns false for %j',
    (value) => {
      expect(isSecretId(value)).toBe(false);
    },
  );
});

describe('isSecret', () => {
  it.each(['a', 'a,b/c', '!~'])('returns true for %j', (text) => {
    expect(isSecret(text)).toBe(true);
  });

  it.each(['', ' a', 'a ', 'a b', 'a\n', '\na', 'é', 'a\u007f', 1])('returns false for %j', (value) => {
    expect(isSecret(value)).toBe(false);
  });
});
