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

describe('draining', () => {
  it('serves first, then rejects new stops, and ends after the last request in flight', async () => {
    const events: string[] = [];
    const request = {};
    lifecycle.onApplicationBootstrap();
    lifecycle.requestStarted(request);
    expect(lifecycle).toMatchObject({ state: 'serving', isDraining: false, rejection: undefined });
    lifecycle.rejecting.addEventListener('abort', () => {
      events.push(`rejecting with ${lifecycle.rejection?.code}`);
      setTimeout(() => {
        events.push('last request finished');
        lifecycle.requestFinished(request);
      }, 100);
    });
    const graceIsOver = setTimeout(() => events.push('the grace is over'), 2000);
    const drained = lifecycle.drain(2000).then(() => events.push('drained'));
    expect(lifecycle).toMatchObject({ state: 'draining', isDraining: true, rejection: undefined });
    await drained;
    clearTimeout(graceIsOver);
    expect(events).toEqual(['rejecting with shutting-down', 'last request finished', 'drained']);
    expect(lifecycle).toMatchObject({ state: 'draining', isDraining: true });
  });

  it('ends when no request has arrived for half a second, before the listener must close', async () => {
    const events: string[] = [];
    const timeToClose = setTimeout(() => events.push('the listener must close'), 3000);
    await lifecycle.drain(4000);
    clearTimeout(timeToClose);
    expect(events).toEqual([]);
  });

  it('ends when the listener must close, although a request is in flight', async () => {
    lifecycle.requestStarted({});
    await lifecycle.drain(100);
    expect(lifecycle.inFlight).toBe(1);
  });
});

describe('waiting for the requests in flight', () => {
  it('ends after the last one, and not before', async () => {
    const events: string[] = [];
    const request = {};
    lifecycle.requestStarted(request);
    setTimeout(() => {
      events.push('last request finished');
      lifecycle.requestFinished(request);
    }, 100);
    await lifecycle.finished(Infinity);
    events.push('ended');
    expect(events).toEqual(['last request finished', 'ended']);
  });

  it('ends at the given time although a request is in flight', async () => {
    lifecycle.requestStarted({});
    await lifecycle.finished(performance.now() + 50);
    expect(lifecycle.inFlight).toBe(1);
  });
});
