import type { Clock } from '../src/clock.js';
import { SlotStoreError } from '../src/shared/with-timeout.js';
import { type SlotStore, NOT_A_MEMBER } from '../src/shared/slot-store.js';
import { ModelStore } from './model-store.js';

interface Listener {
  connected(): void;
  disconnected(reason: string): void;
}

/** A store at the other end of a network: it can be emptied, silenced and cut off. */
export class FakeRemoteStore {
  readonly #store: ModelStore;
  readonly #listeners = new Set<Listener>();
  /** `up`; `silent`: commands get no answer and are done when it ends; `down`: they fail. */
  state: 'up' | 'silent' | 'down' = 'up';
  #queue: (() => void)[] = [];
  #reconnectedAt = -Infinity;

  constructor(
    perSecond: number,
    leaseMs: number,
    private readonly clock: Clock,
  ) {
    this.#store = new ModelStore(perSecond, leaseMs, clock);
  }

  /** It is gone, and its clients notice. */
  disconnect(): void {
    this.state = 'down';
    this.#queue = [];
    for (const listener of this.#listeners) listener.disconnected('closed');
  }

  /** It is back, with or without what it knew; some may reach it later than others. */
  reconnect({ empty, delayReconnects = true }: { empty: boolean; delayReconnects?: boolean }): void {
    this.state = 'up';
    if (delayReconnects) this.#reconnectedAt = this.clock.now();
    if (empty) this.#store.flush();
    for (const respond of this.#queue.splice(0)) respond();
    for (const listener of this.#listeners) listener.connected();
  }

  /** It is there, and has forgotten all. */
  flush(): void {
    this.#store.flush();
  }

  /**
   * The way of one replica to it.
   *
   * @param latencyMs one way
   * @param reconnectDelayMs how much later than it is back it can be reached again
   */
  clientFor(replica: string, latencyMs: number, reconnectDelayMs = 0): SlotStore {
    const { clock } = this;
    const store = this.#store;
    let listener: Listener | undefined;
    const send = async <T>(command: () => T): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      clock.setTimer(latencyMs, () => {
        if (this.state === 'down' || clock.now() < this.#reconnectedAt + reconnectDelayMs)
          return reject(new SlotStoreError('closed'));
        const respond = (): void => {
          const reply = command();
          clock.setTimer(latencyMs, () => resolve(reply));
        };
        if (this.state === 'silent') this.#queue.push(respond);
        else respond();
      });
      return promise;
    };
    const sendAsMember = <T>(incarnation: number, command: () => T) =>
      send(() => (store.isMember(replica, incarnation) ? command() : NOT_A_MEMBER));
    return {
      open: (given) => {
        listener = {
          disconnected: (reason) => given.disconnected(reason),
          connected: () => void clock.setTimer(latencyMs, () => this.state === 'up' && given.connected()),
        };
        this.#listeners.add(listener);
        if (this.state === 'up') listener.connected();
      },
      join: (incarnation) => send(() => store.join(replica, incarnation)),
      acquire: (incarnation, id, request) =>
        sendAsMember(incarnation, () => store.acquire(replica, id, request)),
      release: (incarnation, id, holdMs) =>
        sendAsMember(incarnation, () => store.release(replica, id, holdMs)),
      heartbeat: (incarnation, acknowledged) =>
        sendAsMember(incarnation, () => store.heartbeat(replica, acknowledged)),
      reduce: (incarnation) => sendAsMember(incarnation, () => store.reduce()),
      reconnect: () => {},
      close: async () => {
        if (listener) this.#listeners.delete(listener);
      },
    };
  }
}
