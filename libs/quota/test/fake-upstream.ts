import type { Quota } from '../src/index.js';
import type { VirtualClock } from './virtual-clock.js';

/** A call of a random schedule. Times are in milliseconds. */
export interface PlannedCall {
  at: number;
  waitMs: number;
  /** One-way delay of the request. */
  requestDelayMs: number;
  /** From the arrival of the request to the arrival of the response. */
  responseDelayMs: number;
  /** `aborted`: the caller aborts the call, in the queue or before it is sent. */
  outcome: 'completed' | 'throttled' | 'response lost' | 'request lost' | 'aborted';
}

/** Records when requests arrive. */
export class FakeUpstream {
  readonly arrivals: number[] = [];

  /** The largest number of arrivals in any one second. */
  get peakPerSecond(): number {
    return this.peakIn(1000);
  }

  /** Returns the largest number of arrivals in any time of this length. */
  peakIn(ms: number): number {
    const times = this.arrivals.toSorted((a, b) => a - b);
    let peak = 0;
    let first = 0;
    times.forEach((time, last) => {
      while (times[first]! <= time - ms) first += 1;
      peak = Math.max(peak, last - first + 1);
    });
    return peak;
  }
}

/** A process that can be killed: its requests still arrive, but its waiting calls are not sent. */
export interface GatewayProcess {
  quota: Quota;
  isAlive: boolean;
}

/** Makes a call: acquires a slot, sends the request, and releases the slot as the planned outcome requires. */
export async function call(
  { waitMs, requestDelayMs, responseDelayMs, outcome }: PlannedCall,
  {
    process,
    clock,
    upstream,
    timeoutMs,
  }: { process: GatewayProcess; clock: VirtualClock; upstream: FakeUpstream; timeoutMs: number },
): Promise<'sent' | 'rejected' | 'aborted' | 'killed'> {
  const client = new AbortController();
  if (outcome === 'aborted') clock.setTimer(requestDelayMs, () => client.abort());
  if (waitMs === 0 && process.quota.rejectIfExhausted()) return 'rejected';
  const slot = await process.quota.acquire({ waitMs, signal: () => client.signal }).catch(() => undefined);
  if (!process.isAlive) return 'killed';
  if (!slot) return client.signal.aborted ? 'aborted' : 'rejected';
  if (outcome === 'aborted') {
    slot.release('unused');
    return 'aborted';
  }
  if (outcome !== 'request lost') clock.setTimer(requestDelayMs, () => upstream.arrivals.push(clock.now()));
  const hasResponse =
    (outcome === 'completed' || outcome === 'throttled') && requestDelayMs + responseDelayMs < timeoutMs;
  clock.setTimer(hasResponse ? requestDelayMs + responseDelayMs : timeoutMs, () => {
    if (!hasResponse) slot.release('abandoned');
    else slot.release(outcome === 'throttled' ? 'throttled' : 'completed');
  });
  return 'sent';
}
