import type { Clock } from '../src/clock.js';
import { StoreFailed } from '../src/store/in-time.js';
import { type SlotStore, STRANGER } from '../src/store/slot-store.js';
import { ModelStore } from './model-store.js';

interface Listener {
  reached(): void;
  lost(reason: string): void;
}

/** A store at the other end of a network: it can be emptied, silenced and cut off. */
export class DistantStore {
  readonly #store: ModelStore;
  readonly #listeners = new Set<Listener>();
  /** `up`; `silent`: commands get no answer and are done when it ends; `down`: they fail. */
  state: 'up' | 'silent' | 'down' = 'up';
  #queue: (() => void)[] = [];
  #backAt = -Infinity;

  constructor(
    perSecond: number,
    leaseMs: number,
    private readonly clock: Clock,
  ) {
    this.#store = new ModelStore(perSecond, leaseMs, clock);
  }

  /** It is gone, and its clients notice. */
  fall(): void {
    this.state = 'down';
    this.#queue = [];
    for (const listener of this.#listeners) listener.lost('closed');
  }

  /** It is back, with or without what it knew; some may reach it later than others. */
  rise({ empty, reachedLate = true }: { empty: boolean; reachedLate?: boolean }): void {
    this.state = 'up';
    if (reachedLate) this.#backAt = this.clock.now();
    if (empty) this.#store.flush();
    for (const late of this.#queue.splice(0)) late();
    for (const listener of this.#listeners) listener.reached();
  }

  /** It is there, and has forgotten all. */
  flush(): void {
    this.#store.flush();
  }

  /**
   * The way of one replica to it.
   *
   * @param wayMs one way
   * @param lateMs how much later than it is back it can be reached again
   */
  for(replica: string, wayMs: number, lateMs = 0): SlotStore {
    const { clock } = this;
    const store = this.#store;
    let listener: Listener | undefined;
    const via = async <T>(does: () => T): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      clock.wakeIn(wayMs, () => {
        if (this.state === 'down' || clock.now() < this.#backAt + lateMs)
          return reject(new StoreFailed('closed'));
        const answer = (): void => {
          const word = does();
          clock.wakeIn(wayMs, () => resolve(word));
        };
        if (this.state === 'silent') this.#queue.push(answer);
        else answer();
      });
      return promise;
    };
    const asMember = <T>(coming: number, does: () => T) =>
      via(() => (store.knows(replica, coming) ? does() : STRANGER));
    return {
      open: (given) => {
        listener = {
          lost: (reason) => given.lost(reason),
          reached: () => void clock.wakeIn(wayMs, () => this.state === 'up' && given.reached()),
        };
        this.#listeners.add(listener);
        if (this.state === 'up') listener.reached();
      },
      join: (coming) => via(() => store.join(replica, coming)),
      take: (coming, id, ask) => asMember(coming, () => store.take(replica, id, ask)),
      giveBack: (coming, id, heldForMs) => asMember(coming, () => store.giveBack(replica, id, heldForMs)),
      beat: (coming, heard) => asMember(coming, () => store.beat(replica, heard)),
      lower: (coming) => asMember(coming, () => store.lower()),
      reconnect: () => {},
      close: async () => {
        if (listener) this.#listeners.delete(listener);
      },
    };
  }
}
