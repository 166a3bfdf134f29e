import type { Wish } from './max-min-shares.js';
import type { Ask } from './slot-source.js';
import { SECOND_MS } from './timing.js';

/** How long a call usually has its slot: the second, and a round trip. */
const USUAL_HOLD_MS = SECOND_MS + 250;

/** What a caller wished for counts until the end of the epoch after: for 2.5 to 5 s. */
export const EPOCH_MS = 2500;

interface Record {
  epoch: number;
  /** The most slots wished for at once in the epoch before, and in this one. */
  before: number;
  most: number;
  /** The calls of a span of the usual hold that begins with a call. */
  spanFrom: number;
  calls: number;
  servedAt: number;
}

/**
 * What each caller has lately shown to need: the most slots that it used and wanted at one time, or would
 * have used had all its calls been served. Who has not asked for some seconds needs nothing.
 */
export class Wishes {
  readonly #records = new Map<string, Record>();

  asked({ caller, fresh, wanted }: Ask, inUse: number, now: number): void {
    const record = this.#records.get(caller) ?? begun(now);
    this.#records.set(caller, record);
    turn(record, now);
    if (now - record.spanFrom >= USUAL_HOLD_MS) Object.assign(record, { spanFrom: now, calls: 0 });
    record.calls += fresh;
    record.most = Math.max(record.most, inUse + wanted, record.calls);
  }

  /** What is noted of a caller, to be restored. */
  of(caller: string): Readonly<Record> | undefined {
    const record = this.#records.get(caller);
    return record && { ...record };
  }

  restore(caller: string, before: Readonly<Record> | undefined): void {
    if (before) this.#records.set(caller, { ...before });
    else this.#records.delete(caller);
  }

  served(caller: string, now: number): void {
    const record = this.#records.get(caller);
    if (record) record.servedAt = now;
  }

  at(now: number): Wish[] {
    const wishes: Wish[] = [];
    for (const [caller, record] of this.#records) {
      turn(record, now);
      const slots = Math.max(record.before, record.most);
      if (slots > 0) wishes.push({ caller, slots, servedAt: record.servedAt });
      else this.#records.delete(caller);
    }
    return wishes;
  }

  /** When a wish may next be forgotten. */
  nextChange(now: number): number {
    return (Math.floor(now / EPOCH_MS) + 1) * EPOCH_MS;
  }
}

function begun(now: number): Record {
  const epoch = Math.floor(now / EPOCH_MS);
  return { epoch, before: 0, most: 0, spanFrom: now, calls: 0, servedAt: -Infinity };
}

function turn(record: Record, now: number): void {
  const epoch = Math.floor(now / EPOCH_MS);
  if (epoch === record.epoch) return;
  record.before = epoch === record.epoch + 1 ? record.most : 0;
  record.most = 0;
  record.epoch = epoch;
}
