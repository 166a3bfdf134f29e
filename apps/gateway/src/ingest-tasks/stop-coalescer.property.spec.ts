import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { type AcquireOptions, Quota, type ReleaseReason, type Slot } from '#libs/quota';
import { VirtualClock } from '../../../../libs/quota/test/virtual-clock.js';
import { CoalescingMetrics } from './coalescing-metrics.js';
import { EndedTaskCache } from './ended-task-cache.js';
import { type SendStop, StopCoalescer } from './stop-coalescer.js';

/** When the first slot can be leased, in milliseconds after the start. */
const OPEN_AT = 1500;

interface PlannedRequest {
  readonly at: number;
  readonly taskId: string;
  readonly caller: string;
  readonly waitMs: number;
  /** How long after its arrival its client disconnects. */
  readonly disconnectsAfterMs: number;
  /** How the call ends if it is this request's: `circuit-open` before it acquires a slot. */
  readonly fate: 'stopped' | 'failed' | 'unused' | 'abandoned' | 'circuit-open';
  readonly roundTripMs: number;
}

const request: fc.Arbitrary<PlannedRequest> = fc.record({
  at: fc.oneof(fc.integer({ min: 0, max: 8000 }), fc.constantFrom(1000, 1499, 1500, 1501, 2500, 3000)),
  taskId: fc.constantFrom('t', 't', 'u'),
  caller: fc.constantFrom('a', 'b', 'c'),
  waitMs: fc.constantFrom(0, 0, 500, 1000, 3000),
  disconnectsAfterMs: fc.oneof(
    fc.constant(Infinity),
    fc.constantFrom(0, 1, 500, 1000),
    fc.nat({ max: 4000 }),
  ),
  fate: fc.constantFrom('stopped', 'failed', 'failed', 'unused', 'abandoned', 'circuit-open'),
  roundTripMs: fc.constantFrom(0, 20, 1000, 2000),
});

/** Counts the slots that are acquired, and those that are released. */
class CountingQuota extends Quota {
  acquired = 0;
  released = 0;

  override async acquire(options?: AcquireOptions): Promise<Slot> {
    const slot = await super.acquire(options);
    this.acquired += 1;
    let isReleased = false;
    const release = (reason: ReleaseReason): void => {
      if (!isReleased) this.released += 1;
      isReleased = true;
      slot.release(reason);
    };
    return { release };
  }
}

class Run {
  readonly clock = new VirtualClock();
  readonly quota: CountingQuota;
  readonly #coalescer: StopCoalescer;
  readonly #inFlight = new Set<string>();
  /** When the call was admitted that a request shares, by the identity of the call. */
  readonly #admittedAt = new Map<unknown, number>();
  settled = 0;
  joined = 0;

  constructor(perSecond: number, queueLimit: number) {
    this.quota = new CountingQuota({ perSecond, queueLimit, clock: this.clock });
    const metric = new CoalescingMetrics(new Registry());
    this.#coalescer = new StopCoalescer(this.quota, new EndedTaskCache(), metric, this.clock);
  }

  async request(planned: PlannedRequest): Promise<void> {
    const { at, taskId, caller, waitMs, disconnectsAfterMs } = planned;
    const client = new AbortController();
    if (disconnectsAfterMs < Infinity)
      this.clock.setTimer(disconnectsAfterMs, () => client.abort(new Error('disconnected')));
    const task = { taskId, sdkAppId: 1, region: 'r' };
    const requester = { caller, waitMs, signal: () => client.signal };
    const { coalesced, upstreamCall, result } = this.#coalescer.join(task, requester, this.#send(planned));
    if (coalesced === 'in_flight') this.joined += 1;
    const error = await result.then(
      () => undefined,
      (reason: Error & { code?: string }) => reason,
    );
    this.settled += 1;
    const now = this.clock.now();
    const patience = Math.min(Math.max(at + waitMs, OPEN_AT), at + disconnectsAfterMs);
    if (error?.message === 'disconnected') expectTime(now, at + disconnectsAfterMs);
    const isWithoutSlot = error?.code !== undefined || error?.message === 'disconnected';
    // From admission on all share the outcome, however long that takes; nobody waits longer than it may before.
    const waitedUntil = isWithoutSlot ? now : (this.#admittedAt.get(upstreamCall) ?? at);
    expectNotLaterThan(waitedUntil, patience);
    if (error?.code !== undefined) expectExhausted(error.code);
  }

  #send({ taskId, fate, roundTripMs }: PlannedRequest): SendStop {
    return async (call) => {
      if (fate === 'circuit-open') throw new Error(fate);
      const slot = await call.acquireFirstSlot();
      if (fate === 'unused') throw new Error(fate);
      this.#admittedAt.set(call.upstreamCall, this.clock.now());
      expectNew(this.#inFlight, taskId);
      this.#inFlight.add(taskId);
      await new Promise<void>((resolve) => this.clock.setTimer(roundTripMs, resolve));
      this.#inFlight.delete(taskId);
      slot.release(fate === 'abandoned' ? 'abandoned' : 'completed');
      if (fate !== 'stopped') throw new Error(fate);
      return { status: 'stopped', requestId: 'r' };
    };
  }
}

function expectTime(now: number, expected: number): void {
  expect(now).toBe(expected);
}

function expectNotLaterThan(time: number, limit: number): void {
  expect(time).toBeLessThanOrEqual(limit);
}

function expectExhausted(code: string): void {
  expect(code).toMatch(/-exhausted$/);
}

function expectNew(tasks: ReadonlySet<string>, taskId: string): void {
  expect(tasks).not.toContain(taskId);
}

describe('coalescing, whatever comes, disconnects and fails', () => {
  it('sends one call per task at a time, releases every slot, and lets nobody wait longer than it may: 1,000 schedules', async () => {
    let joined = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(1, 2, 20),
        fc.constantFrom(2, 200),
        async (requests, perSecond, queueLimit) => {
          const run = new Run(perSecond, queueLimit);
          const failures: unknown[] = [];
          for (const one of requests)
            run.clock.setTimer(one.at, () => {
              run.request(one).catch((error: unknown) => failures.push(error));
            });
          await run.clock.runUntil(60_000);
          expect(failures).toEqual([]);
          expect(run.settled).toBe(requests.length);
          expect(run.quota.released).toBe(run.quota.acquired);
          expect(run.quota.state()).toMatchObject({ free: perSecond, inUse: 0, waiting: 0 });
          expect(run.clock.pending).toBe(0);
          joined += run.joined;
        },
      ),
      { numRuns: 1000 },
    );
    expect(joined).toBeGreaterThan(1000);
  }, 120_000);
});
