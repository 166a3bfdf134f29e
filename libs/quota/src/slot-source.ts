/**
 * One place among the calls that may arrive in any one second, lent to one upstream attempt.
 * It must be given back in exactly one of these ways; whatever comes after the first is ignored.
 */
export interface Slot {
  /** The answer has arrived: the slot frees one second from now. */
  answered(): void;
  /** Given up without an answer: the request may yet arrive, so the slot frees in 2 s + 1 s. */
  lost(): void;
  /** Nothing was sent: the slot is free again at once. */
  unused(): void;
}

/** A caller asks for one slot. */
export interface Ask {
  readonly caller: string;
  /** How many of its calls are new since its last ask, this one included when it is new. */
  readonly fresh: number;
  /** How many of its calls want a slot right now, this one included. */
  readonly wanted: number;
}

/**
 * Why no slot was lent: all are taken; the caller has its share, and what is free is others'; or this process
 * may lend none at all for now.
 */
export type Refusal = 'quota' | 'share' | 'unavailable';

/** What came of an ask. */
export type Taken = { readonly slot: Slot } | { readonly refused: Refusal };

/**
 * Where slots come from: this process alone, or a store that replicas share. Times are milliseconds of a clock
 * that never goes back.
 */
export interface SlotSource {
  /** When the first slot may be lent; whoever asks earlier may wait until then. */
  readonly openAt: number;
  /** Lends a slot at this time or says why not. Never rejects. */
  take(ask: Ask, now: number): Taken | Promise<Taken>;
  /**
   * Refuses where `take` would, and notes that as `take` would; undefined, with nothing noted, where it would lend.
   * Only sources that know by themselves have it.
   */
  refusal?(ask: Ask, now: number): Refusal | undefined;
  /** The far end refused a call that the rule allowed. */
  lower(): void;
  /** How many slots there are now. */
  capacity(now: number): number;
  free(now: number): number;
  /** The earliest time at which the call in this place of a queue (0 is its head) can have a slot. */
  earliest(place: number, now: number): number;
  /** When it makes sense to ask again; Infinity when only a slot given back can change the answer. */
  nextChange(now: number): number;
  /** Ends everything that the source does by itself. */
  close(): Promise<void>;
}

/** What a source tells while it lends. */
export interface SourceListener {
  /** Something has changed: whoever waits may ask again. */
  changed(): void;
  /** Somebody else uses the quota: only so many slots are left for now. */
  lowered(slots: number): void;
}
