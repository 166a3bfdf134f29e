import type { Clock } from '../clock.js';
import { WINDOW_MS } from '../timing.js';

/** What a replica proves to the store with a command. */
export interface StoreTimeProof {
  /** The clock of the store is at least at this time, in milliseconds. */
  readonly time: number;
  /** The latest stamp that this replica has seen. */
  readonly observedStamp: number;
  /** Every release with this stamp, or an earlier one, is at least one second old. */
  readonly provenStamp: number;
}

/**
 * What one replica knows about the time in the store, from the replies to its commands and its own monotonic clock. It
 * proves only time that has passed, because a reply arrives after its command was executed.
 *
 * @see ../../../../docs/adr/0021-store-clock.md
 */
export class StoreClock {
  readonly #clock: Clock;
  /** The clock of the store minus the clock of this replica, at least. */
  #offset = -Infinity;
  /** Stamps, with the time of the first reply that contained them. */
  #observations: { stamp: number; receivedAt: number }[] = [];
  #provenStamp = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records a reply that has just arrived: the clock of the store, and the stamp of the latest release. */
  observe(time: number, stamp: number): void {
    const receivedAt = this.#clock.now();
    this.#offset = Math.max(this.#offset, time - receivedAt);
    if (stamp > this.#observedStamp) this.#observations.push({ stamp, receivedAt });
  }

  /** Returns the clock of the store in milliseconds: at least, and undefined before the first reply. */
  now(): number | undefined {
    return this.#offset === -Infinity ? undefined : this.#clock.now() + this.#offset;
  }

  proof(): StoreTimeProof {
    const provenFrom = this.#clock.now() - WINDOW_MS;
    while (this.#observations[0] && this.#observations[0].receivedAt <= provenFrom)
      this.#provenStamp = this.#observations.shift()!.stamp;
    return {
      time: Math.max(0, this.now() ?? 0),
      observedStamp: this.#observedStamp,
      provenStamp: this.#provenStamp,
    };
  }

  /** Returns when this replica can prove that the latest release is one second old; Infinity after it has done so. */
  nextProofAt(): number {
    return (this.#observations.at(-1)?.receivedAt ?? Infinity) + WINDOW_MS;
  }

  get #observedStamp(): number {
    return this.#observations.at(-1)?.stamp ?? this.#provenStamp;
  }
}
