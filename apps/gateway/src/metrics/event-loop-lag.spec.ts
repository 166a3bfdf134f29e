import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Registry } from 'prom-client';
import { EventLoopLag } from './event-loop-lag.js';

const registry = new Registry();
const eventLoopLag = new EventLoopLag(registry);

/** Reads the number of lags, and of those up to 200 ms. */
async function read(): Promise<{ all: number; upTo200ms: number }> {
  const text = await registry.metrics();
  const value = (le: string): number =>
    Number(new RegExp(`_bucket\\{le="${le.replace('+', '\\+')}"\\} (\\d+)`).exec(text)![1]);
  return { all: value('+Inf'), upTo200ms: value('0.2') };
}

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  eventLoopLag.onApplicationBootstrap();
});

afterEach(() => {
  eventLoopLag.onModuleDestroy();
  jest.useRealTimers();
});

describe('EventLoopLag', () => {
  it('observes the lag every 20 ms, and scrapes do not reset it', async () => {
    jest.advanceTimersByTime(100);
    expect(await read()).toEqual({ all: 5, upTo200ms: 5 });
    const now = jest.spyOn(performance, 'now').mockReturnValueOnce(performance.now() + 320);
    jest.advanceTimersByTime(20);
    now.mockRestore();
    expect(await read()).toEqual({ all: 6, upTo200ms: 5 });
    expect(await read()).toEqual({ all: 6, upTo200ms: 5 });
  });

  it('observes nothing after the application has closed', async () => {
    const { all } = await read();
    eventLoopLag.onModuleDestroy();
    jest.advanceTimersByTime(100);
    expect((await read()).all).toBe(all);
  });
});
