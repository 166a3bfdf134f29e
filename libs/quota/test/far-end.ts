import type { Quota } from '../src/index.js';
import type { VirtualClock } from './virtual-clock.js';

/** One call of a random schedule. Times in milliseconds. */
export interface PlannedCall {
  at: number;
  waitMs: number;
  /** One-way delay of the request. */
  toCloudMs: number;
  /** From the arrival to the answer, the way back included. */
  toAnswerMs: number;
  fate: 'answered' | 'throttled' | 'answer lost' | 'request lost' | 'withdrawn';
}

/** Counts arrivals as the cloud does. */
export class FarEnd {
  readonly arrivals: number[] = [];

  get mostInAnySecond(): number {
    const times = this.arrivals.toSorted((a, b) => a - b);
    let most = 0;
    let first = 0;
    times.forEach((time, last) => {
      while (times[first]! <= time - 1000) first += 1;
      most = Math.max(most, last - first + 1);
    });
    return most;
  }
}

/** One life of the gateway: what it has sent outlives it, what it waits for does not. */
export interface Process {
  quota: Quota;
  alive: boolean;
}

/** Makes one call: takes a slot, sends, and gives the slot back as its fate has it. */
export async function call(
  { waitMs, toCloudMs, toAnswerMs, fate }: PlannedCall,
  {
    process,
    clock,
    cloud,
    timeoutMs,
  }: { process: Process; clock: VirtualClock; cloud: FarEnd; timeoutMs: number },
): Promise<'sent' | 'refused' | 'withdrawn' | 'died'> {
  const caller = new AbortController();
  if (fate === 'withdrawn') clock.wakeIn(toCloudMs, () => caller.abort());
  const slot = await process.quota.acquire({ waitMs, signal: () => caller.signal }).catch(() => undefined);
  if (!process.alive) return 'died';
  if (!slot) return caller.signal.aborted ? 'withdrawn' : 'refused';
  if (fate === 'withdrawn') {
    slot.release('unused');
    return 'withdrawn';
  }
  if (fate !== 'request lost') clock.wakeIn(toCloudMs, () => cloud.arrivals.push(clock.now()));
  const answered = (fate === 'answered' || fate === 'throttled') && toCloudMs + toAnswerMs < timeoutMs;
  clock.wakeIn(answered ? toCloudMs + toAnswerMs : timeoutMs, () => {
    if (!answered) slot.release('abandoned');
    else slot.release(fate === 'throttled' ? 'throttled' : 'completed');
  });
  return 'sent';
}
