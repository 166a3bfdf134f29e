import type { Clock } from '../src/clock.js';
import { NOT_A_MEMBER, type SlotStore, SlotStoreError } from '../src/shared/slot-store.js';
import { ModelStore } from './model-store.js';

interface Listener {
  connected(): void;
  disconnected(reason: string): void;
}

/** A slot store behind a simulated network. It can lose its data, stop responding and become unreachable. */
export class FakeRemoteStore {
  readonly #store: ModelStore;
  readonly #listeners = new Set<Listener>();
  /** `silent`: commands get no response and are executed when the state ends. `down`: commands fail. */
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

  /** Makes the store unreachable and closes all connections. */
  disconnect(): void {
    this.state = 'down';
    this.#queue = [];
    for (const listener of this.#listeners) listener.disconnected('closed');
  }

  /** Makes the store reachable again, with or without its data. `delayReconnects` applies the delay of each client. */
  reconnect({ empty, delayReconnects = true }: { empty: boolean; delayReconnects?: boolean }): void {
    this.state = 'up';
    if (delayReconnects) this.#reconnectedAt = this.clock.now();
    if (empty) this.#store.flush();
    for (const respond of this.#queue.splice(0)) respond();
    for (const listener of this.#listeners) listener.connected();
  }

  /** Deletes all data; connections stay open. */
  flush(): void {
    this.#store.flush();
  }

  /**
   * Creates the connection of one replica.
   *
   * @param latencyMs the delay of each direction
   * @param reconnectDelayMs how long after {@link reconnect} this replica can still not reach the store
   */
  clientFor(replica: string, latencyMs: number, reconnectDelayMs = 0): SlotStore {
    const { clock } = this;
    const store = this.#store;
    let listener: Listener | undefined;
    const send = async <T>(command: () => T | typeof NOT_A_MEMBER): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      clock.setTimer(latencyMs, () => {
        if (this.state === 'down' || clock.now() < this.#reconnectedAt + reconnectDelayMs)
          return reject(new SlotStoreError('closed'));
        const respond = (): void => {
          const reply = command();
          clock.setTimer(latencyMs, () =>
            reply === NOT_A_MEMBER ? reject(new SlotStoreError(NOT_A_MEMBER)) : resolve(reply),
          );
        };
        if (this.state === 'silent') this.#queue.push(respond);
        else respond();
      });
      return promise;
    };
    const sendAsMember = <T>(incarnation: number, command: () => T) =>
      send<T>(() => (store.isMember(replica, incarnation) ? command() : NOT_A_MEMBER));
    return {
      replica,
      open: (given) => {
        listener = {
          disconnected: (reason) => given.disconnected(reason),
          connected: () => void clock.setTimer(latencyMs, () => this.state === 'up' && given.connected()),
        };
        this.#listeners.add(listener);
        if (this.state === 'up') listener.connected();
      },
      join: (...registration) => send(() => store.join(replica, ...registration)),
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
