import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { type AcquireOptions, Quota, type ReleaseReason, type Slot } from '#libs/quota';
import { VirtualClock } from '../../../../libs/quota/test/virtual-clock.js';
import { CoalescingMetrics } from './coalescing-metrics.js';
import { EndedTaskCache } from './ended-task-cache.js';
import { type SendStop, StopCoalescer } from './stop-coalescer.js';

/** When the first slot can be leased, in milliseconds after the start. */
const STARTUP_DELAY_MS = 1500;

interface PlannedRequest {
  readonly arrivesAtMs: number;
  readonly taskId: string;
  readonly caller: string;
  readonly waitMs: number;
  /** How long after its arrival its client disconnects. */
  readonly disconnectsAfterMs: number;
  /** How the call ends if it is this request's: `circuit-open` before it acquires a slot. */
  readonly end: 'stopped' | 'failed' | 'unused' | 'abandoned' | 'circuit-open';
  readonly roundTripMs: number;
}

const request: fc.Arbitrary<PlannedRequest> = fc.record({
  arrivesAtMs: fc.oneof(
    fc.integer({ min: 0, max: 8000 }),
    fc.constantFrom(1000, 1499, 1500, 1501, 2500, 3000),
  ),
  taskId: fc.constantFrom('t', 't', 'u'),
  caller: fc.constantFrom('a', 'b', 'c'),
  waitMs: fc.constantFrom(0, 0, 500, 1000, 3000),
  disconnectsAfterMs: fc.oneof(
    fc.constant(Infinity),
    fc.constantFrom(0, 1, 500, 1000),
    fc.nat({ max: 4000 }),
  ),
  end: fc.constantFrom('stopped', 'failed', 'failed', 'unused', 'abandoned', 'circuit-open'),
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
  /** The rules that the coalescer has violated. */
  readonly violations: string[] = [];

  constructor(perSecond: number, queueLimit: number) {
    this.quota = new CountingQuota({ perSecond, queueLimit, clock: this.clock });
    const metric = new CoalescingMetrics(new Registry());
    this.#coalescer = new StopCoalescer(this.quota, new EndedTaskCache(), metric, this.clock, queueLimit);
  }

  async request(planned: PlannedRequest): Promise<void> {
    const { arrivesAtMs, taskId, caller, waitMs, disconnectsAfterMs } = planned;
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
    const maxWaitUntil = Math.min(
      Math.max(arrivesAtMs + waitMs, STARTUP_DELAY_MS),
      arrivesAtMs + disconnectsAfterMs,
    );
    if (error?.message === 'disconnected')
      this.#require(now === arrivesAtMs + disconnectsAfterMs, `disconnected at ${now}`);
    const isWithoutSlot = error?.code !== undefined || error?.message === 'disconnected';
    // Before admission, no request waits longer than it may. After admission, all share the outcome of the call.
    const waitedUntil = isWithoutSlot ? now : (this.#admittedAt.get(upstreamCall) ?? arrivesAtMs);
    this.#require(waitedUntil <= maxWaitUntil, `waited until ${waitedUntil} instead of ${maxWaitUntil}`);
    this.#require(error?.code?.endsWith('-exhausted') ?? true, `rejected with ${error?.code}`);
  }

  #require(holds: boolean, violation: string): void {
    if (!holds) this.violations.push(violation);
  }

  #send({ taskId, end, roundTripMs }: PlannedRequest): SendStop {
    return async (call) => {
      if (end === 'circuit-open') throw new Error(end);
      const slot = await call.acquireFirstSlot();
      if (end === 'unused') throw new Error(end);
      this.#admittedAt.set(call.upstreamCall, this.clock.now());
      this.#require(!this.#inFlight.has(taskId), `two calls of ${taskId}`);
      this.#inFlight.add(taskId);
      await new Promise<void>((resolve) => this.clock.setTimer(roundTripMs, resolve));
      this.#inFlight.delete(taskId);
      slot.release(end === 'abandoned' ? 'abandoned' : 'completed');
      if (end !== 'stopped') throw new Error(end);
      return { status: 'stopped', requestId: 'r' };
    };
  }
}

describe('StopCoalescer with random requests, disconnects and failures', () => {
  it('sends one call per task at a time, releases every slot, and never exceeds a wait in 1,000 schedules', async () => {
    let joined = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(1, 2, 20),
        fc.constantFrom(2, 200),
        async (requests, perSecond, queueLimit) => {
          const run = new Run(perSecond, queueLimit);
          for (const planned of requests)
            run.clock.setTimer(planned.arrivesAtMs, () => void run.request(planned));
          await run.clock.runUntil(60_000);
          expect(run.violations).toEqual([]);
          expect(run.settled).toBe(requests.length);
          expect(run.quota.released).toBe(run.quota.acquired);
          expect(run.quota.state()).toMatchObject({ free: perSecond, inUse: 0, queueLength: 0 });
          expect(run.clock.pending).toBe(0);
          joined += run.joined;
        },
      ),
      { numRuns: 1000 },
    );
    expect(joined).toBeGreaterThan(1000);
  }, 120_000);
});
