import { beforeEach, describe, expect, it } from '@jest/globals';
import { Lifecycle } from './lifecycle.js';

let lifecycle: Lifecycle;

beforeEach(() => {
  lifecycle = new Lifecycle();
});

describe('the number of requests in flight', () => {
  it('counts a request once that its connection and its service hold', () => {
    const request = {};
    lifecycle.requestStarted(request);
    lifecycle.requestStarted(request);
    expect(lifecycle.inFlight).toBe(1);
  });

  it('counts a request until every holder has released it', () => {
    const request = {};
    lifecycle.requestStarted(request);
    lifecycle.requestStarted(request);
    lifecycle.requestFinished(request);
    expect(lifecycle.inFlight).toBe(1);
    lifecycle.requestFinished(request);
    expect(lifecycle.inFlight).toBe(0);
  });

  it('counts distinct requests', () => {
    const [first, second] = [{}, {}];
    lifecycle.requestStarted(first);
    lifecycle.requestStarted(second);
    lifecycle.requestFinished(first);
    expect(lifecycle.inFlight).toBe(1);
  });
});
