import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '../test/manual-clock.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { CloudFailedError, CloudRejectedError, CloudTimeoutError, CloudUnreachableError } from './errors.js';

let clock: ManualClock;
let states: string[];
let breaker: CircuitBreaker;

beforeEach(() => {
  clock = new ManualClock();
  states = [];
  breaker = new CircuitBreaker(clock, { circuitStateChanged: (state) => states.push(state) });
});

const succeed = (): Promise<string> => breaker.run(() => Promise.resolve('done'));
const failWith = (reason: Error): Promise<unknown> =>
  breaker.run(() => Promise.reject(reason)).catch((thrown: unknown) => thrown);
const fail = (): Promise<unknown> => failWith(new CloudUnreachableError('ECONNREFUSED'));

async function open(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await fail();
}

/** Starts an attempt that ends when the test calls `end`. */
function pending(onStart = (): void => {}): { end: (error?: Error) => void; ended: Promise<unknown> } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // The circuit may reject the attempt, so that nothing awaits its promise.
  promise.catch(() => {});
  const attempt = (): Promise<string> => {
    onStart();
    return promise;
  };
  const ended = breaker.run(attempt).catch((error: unknown) => error);
  return { end: (error) => (error ? reject(error) : resolve('done')), ended };
}

describe('a closed circuit', () => {
  it('opens at the tenth consecutive failure', async () => {
    for (let n = 0; n < 9; n += 1) await fail();
    expect(() => breaker.assertClosed()).not.toThrow();
    await fail();
    expect(() => breaker.assertClosed()).toThrow(
      expect.objectContaining({ code: 'circuit-open', retryAfterMs: 5000 }),
    );
    expect(states).toEqual(['open']);
  });

  it.each([
    ['a timeout', new CloudTimeoutError()],
    ['a connection error', new CloudUnreachableError('ECONNREFUSED')],
    ['an unreadable response', new CloudFailedError('malformed')],
  ])('counts %s as a failure', async (_, error) => {
    for (let n = 0; n < 10; n += 1) expect(await failWith(error)).toBe(error);
    expect(states).toEqual(['open']);
  });

  it('resets the count after a definite response', async () => {
    for (const respond of [succeed, () => failWith(new CloudRejectedError('InvalidParameter', 'id'))]) {
      for (let n = 0; n < 9; n += 1) await fail();
      await respond();
    }
    for (let n = 0; n < 9; n += 1) await fail();
    expect(states).toEqual([]);
  });
});

describe('an open circuit', () => {
  beforeEach(open);

  it('runs no attempt for five seconds and reports the remaining time', async () => {
    clock.advance(4999);
    let ran = false;
    await expect(breaker.run(() => Promise.resolve((ran = true)))).rejects.toMatchObject({
      code: 'circuit-open',
      retryAfterMs: 1,
    });
    expect(ran).toBe(false);
  });

  it('runs exactly one probe after five seconds and rejects other attempts while it runs', async () => {
    clock.advance(5000);
    const probe = pending();
    expect(await succeed().catch((error: unknown) => error)).toMatchObject({
      code: 'circuit-open',
      retryAfterMs: 1000,
    });
    expect(() => breaker.assertClosed()).toThrow(expect.objectContaining({ retryAfterMs: 1000 }));
    probe.end();
    await probe.ended;
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('runs the probe after five seconds although the wall clock was set back', async () => {
    const setBack = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
    clock.advance(4999);
    expect(await succeed().catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 1 });
    clock.advance(1);
    expect(await succeed()).toBe('done');
    setBack.mockRestore();
  });

  it('opens for another five seconds when the probe fails', async () => {
    clock.advance(5000);
    await fail();
    expect(states).toEqual(['open', 'half-open', 'open']);
    expect(() => breaker.assertClosed()).toThrow(expect.objectContaining({ retryAfterMs: 5000 }));
  });

  it('closes when the probe receives a definite error, and needs ten failures to open again', async () => {
    clock.advance(5000);
    await failWith(new CloudRejectedError('InvalidParameter', 'id'));
    for (let n = 0; n < 9; n += 1) await fail();
    expect(states).toEqual(['open', 'half-open', 'closed']);
    await fail();
    expect(states).toEqual(['open', 'half-open', 'closed', 'open']);
  });

  it('runs the next attempt as the probe when assertClosed() passed but no attempt followed', async () => {
    clock.advance(5000);
    breaker.assertClosed();
    breaker.assertClosed();
    expect(await succeed()).toBe('done');
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });
});

describe('an attempt that began before the circuit opened', () => {
  it.each([
    ['succeeds', undefined],
    ['fails', new CloudTimeoutError()],
  ])('changes nothing when it %s while the probe runs', async (_, error) => {
    const late = pending();
    await open();
    clock.advance(5000);
    const probe = pending();
    late.end(error);
    await late.ended;
    expect(states).toEqual(['open', 'half-open']);
    probe.end();
    await probe.ended;
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });
});

describe('under any schedule of attempts', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('start' as const) }),
    fc.record({ kind: fc.constant('end' as const), fails: fc.boolean(), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6000 }) }),
  );

  it('runs one probe at a time, none earlier than five seconds after opening, and never stays half-open', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        clock = new ManualClock();
        const changes: { state: string; at: number }[] = [];
        breaker = new CircuitBreaker(clock, {
          circuitStateChanged: (state) => changes.push({ state, at: clock.now() }),
        });
        await open();
        const attempts: ReturnType<typeof pending>[] = [];
        const startedIn: string[] = [];
        for (const each of steps) {
          if (each.kind === 'wait') clock.advance(each.ms);
          else if (each.kind === 'start') attempts.push(pending(() => startedIn.push(changes.at(-1)!.state)));
          else {
            const [attempt] = attempts.splice(each.at % (attempts.length || 1), 1);
            attempt?.end(each.fails ? new CloudTimeoutError() : undefined);
            await attempt?.ended;
          }
        }
        for (const attempt of attempts) {
          attempt.end();
          await attempt.ended;
        }
        for (const [index, { state, at }] of changes.entries()) {
          const previous = changes[index - 1];
          if (state !== 'half-open') continue;
          expect(previous?.state).toBe('open');
          expect(at - previous!.at).toBeGreaterThanOrEqual(5000);
        }
        const probes = startedIn.filter((state) => state === 'half-open');
        expect(probes).toHaveLength(changes.filter(({ state }) => state === 'half-open').length);
        expect(startedIn).not.toContain('open');
        expect(changes.at(-1)!.state).not.toBe('half-open');
      }),
    );
  });
});
