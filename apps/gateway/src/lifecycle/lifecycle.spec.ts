import { beforeEach, describe, expect, it } from '@jest/globals';
import { Lifecycle } from './lifecycle.js';

let lifecycle: Lifecycle;

beforeEach(() => {
  lifecycle = new Lifecycle();
});

describe('Lifecycle.inFlight', () => {
  it('counts a request once when two components hold it', () => {
    const request = {};
    lifecycle.requestStarted(request);
    lifecycle.requestStarted(request);
    expect(lifecycle.inFlight).toBe(1);
  });

  it('counts a request until each component has released it', () => {
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
