import { beforeEach, describe, expect, it } from '@jest/globals';
import { LimitedSum } from './limited-sum.js';

let dropped: string[];
let sum: LimitedSum<string>;

beforeEach(() => {
  dropped = [];
  sum = new LimitedSum(100, (key) => dropped.push(key));
});

describe('a sum above its limit', () => {
  it('drops the keys that have had an amount for the longest time, until it is within the limit', () => {
    sum.set('a', 30);
    sum.set('b', 40);
    sum.set('c', 30);
    expect(dropped).toEqual([]);
    sum.set('d', 20);
    expect(dropped).toEqual(['a']);
    sum.set('e', 60);
    expect(dropped).toEqual(['a', 'b', 'c']);
  });

  it('drops the key that is too large itself', () => {
    sum.set('a', 101);
    expect(dropped).toEqual(['a']);
    sum.set('b', 100);
    expect(dropped).toEqual(['a']);
  });
});

describe('a key', () => {
  it('keeps its age while its amount changes, and loses it with the amount', () => {
    sum.add('a', 30);
    sum.add('b', 30);
    sum.add('a', 10);
    sum.set('c', 40);
    expect(dropped).toEqual(['a']);
    sum.add('b', -30);
    sum.add('b', 30);
    sum.add('d', 60);
    expect(dropped).toEqual(['a', 'c']);
  });

  it('has no negative amount, for example after it was dropped', () => {
    sum.add('a', 101);
    sum.add('a', -101);
    sum.add('b', 100);
    expect(dropped).toEqual(['a']);
  });
});
