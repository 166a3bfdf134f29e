import type { Quota } from '../src/index.js';
import type { VirtualClock } from './virtual-clock.js';

/** One call of a random schedule. Times in milliseconds. */
export interface PlannedCall {
  at: number;
  waitMs: number;
  /** One-way delay of the request. */
  requestDelayMs: number;
  /** From the arrival to the answer, the way back included. */
  responseDelayMs: number;
  outcome: 'answered' | 'throttled' | 'response lost' | 'request lost' | 'withdrawn';
}

/** Counts arrivals as the cloud does. */
export class FakeUpstream {
  readonly arrivals: number[] = [];

  get peakPerSecond(): number {
    const times = this.arrivals.toSorted((a, b) => a - b);
    let peak = 0;
    let first = 0;
    times.forEach((time, last) => {
      while (times[first]! <= time - 1000) first += 1;
      peak = Math.max(peak, last - first + 1);
    });
    return peak;
  }
}

/** One life of the gateway: what it has sent outlives it, what it waits for does not. */
export interface GatewayProcess {
  quota: Quota;
  isAlive: boolean;
}

/** Makes one call: takes a slot, sends, and gives the slot back as its fate has it. */
export async function call(
  { waitMs, requestDelayMs, responseDelayMs, outcome }: PlannedCall,
  {
    process,
    clock,
    upstream,
    timeoutMs,
  }: { process: GatewayProcess; clock: VirtualClock; upstream: FakeUpstream; timeoutMs: number },
): Promise<'sent' | 'refused' | 'withdrawn' | 'died'> {
  const caller = new AbortController();
  if (outcome === 'withdrawn') clock.setTimer(requestDelayMs, () => caller.abort());
  const slot = await process.quota.acquire({ waitMs, signal: () => caller.signal }).catch(() => undefined);
  if (!process.isAlive) return 'died';
  if (!slot) return caller.signal.aborted ? 'withdrawn' : 'refused';
  if (outcome === 'withdrawn') {
    slot.release('unused');
    return 'withdrawn';
  }
  if (outcome !== 'request lost') clock.setTimer(requestDelayMs, () => upstream.arrivals.push(clock.now()));
  const isAnswered =
    (outcome === 'answered' || outcome === 'throttled') && requestDelayMs + responseDelayMs < timeoutMs;
  clock.setTimer(isAnswered ? requestDelayMs + responseDelayMs : timeoutMs, () => {
    if (!isAnswered) slot.release('abandoned');
    else slot.release(outcome === 'throttled' ? 'throttled' : 'completed');
  });
  return 'sent';
}
