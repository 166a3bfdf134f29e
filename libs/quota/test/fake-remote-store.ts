import type { Clock } from '../src/clock.js';
import type { AcquireRequest, Decision } from '../src/slot-pool.js';
import { NOT_A_MEMBER, type SlotStore, SlotStoreError } from '../src/shared/slot-store.js';
import { StoreClock } from '../src/shared/store-clock.js';
import { ModelStore, type Sender } from './model-store.js';

/** The connection of one replica. */
interface Connection {
  /** The server accepts connections again after `delayFactor` times the delay of this replica. */
  serverIsUp(delayFactor: number): void;
  serverIsDown(): void;
}

interface ClientOptions {
  /** The delay of each direction. */
  latencyMs: number;
  /** How long this replica takes to connect again. */
  reconnectDelayMs?: number;
  /** Whether the server executes commands that it received on a connection that has been closed. Default: false. */
  executesDropped?: boolean;
  /** The clock of the replica. Default: that of the store. */
  clock?: Clock;
}

/**
 * A slot store behind a simulated network. It can lose its data or its last writes, stop responding and become
 * unreachable. A replica that closes a connection loses its commands on it, and connects again after a delay of its own.
 */
export class FakeRemoteStore {
  #store: ModelStore;
  readonly #connections = new Set<Connection>();
  /** `silent`: commands get no response and are executed when the state ends. `down`: connections fail. */
  state: 'up' | 'silent' | 'down' = 'up';
  #queue: (() => void)[] = [];
  /** The clock of the server minus the clock of the test. No step makes the time of a server negative. */
  #clockStep = 10_000_000;
  /** Every command, to execute them again after a loss of writes. */
  #log: { at: number; execute: (store: ModelStore) => unknown }[] = [];

  constructor(
    private readonly perSecond: number,
    private readonly leaseMs: number,
    private readonly clock: Clock,
  ) {
    this.#store = new ModelStore(perSecond, leaseMs);
  }

  /** Sets the clock of the server forwards or back. */
  stepClock(ms: number): void {
    this.#clockStep += ms;
  }

  /** Makes the store unreachable and closes all connections. */
  disconnect(): void {
    this.state = 'down';
    this.#queue = [];
    for (const connection of this.#connections) connection.serverIsDown();
  }

  /** Makes the store reachable again, with or without its data. */
  reconnect({ empty, delayFactor = 1 }: { empty: boolean; delayFactor?: number }): void {
    this.state = 'up';
    if (empty) this.flush();
    for (const respond of this.#queue.splice(0)) respond();
    for (const connection of this.#connections) connection.serverIsUp(delayFactor);
  }

  /** Deletes all data; connections stay open. */
  flush(): void {
    this.#log = [];
    this.#store = new ModelStore(this.perSecond, this.leaseMs);
  }

  /** Loses the commands of the last `ms` milliseconds, as a failover to a standby does. */
  loseWrites(ms: number): void {
    const now = this.clock.now();
    const kept = this.#log.filter(({ at }) => at <= now - ms);
    this.flush();
    this.#log = kept;
    for (const { execute } of kept) execute(this.#store);
  }

  /**
   * Returns the decision of the store at this time for a replica that knows its exact time, asks without latency and has
   * seen no release. Changes nothing. Only for a store that was always up.
   */
  decisionAt(now: number, replica: string, request: AcquireRequest): Decision {
    const store = new ModelStore(this.perSecond, this.leaseMs);
    let time = 0;
    for (const { at, execute } of this.#log) {
      if (at > now) break;
      execute(store);
      time ||= store.clock! + now - at;
    }
    const proof = { time, observedStamp: 0, provenStamp: 0 };
    const result = store.execute({ replica, incarnation: 1, proof }, (storeTime) =>
      store.decide(replica, undefined, [request], storeTime),
    );
    if (result === NOT_A_MEMBER) throw new Error('the replica is not a member');
    return result.decisions[0]!;
  }

  /** Creates the connection of one replica. */
  clientFor(
    replica: string,
    { latencyMs, reconnectDelayMs = 0, executesDropped = false, clock: ownClock = this.clock }: ClientOptions,
  ): SlotStore {
    const { clock } = this;
    let listener: Parameters<SlotStore['open']>[0] | undefined;
    let storeClock = new StoreClock(ownClock);
    /** A number for each connection; undefined while not connected. */
    let connection: number | undefined;
    let connectionCount = 0;
    const connect = (delayMs: number): void => {
      clock.setTimer(latencyMs + delayMs, () => {
        if (connection !== undefined || this.state !== 'up' || !listener) return;
        connectionCount += 1;
        connection = connectionCount;
        listener.connected();
      });
    };
    const drop = (): void => {
      connection = undefined;
      listener?.disconnected('closed');
    };
    const send = async <T>(
      incarnation: number,
      command: (store: ModelStore, sender: Sender) => T | typeof NOT_A_MEMBER,
    ): Promise<T> => {
      if (connection === undefined) throw new SlotStoreError('closed');
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const [current, ownConnection] = [storeClock, connection];
      const sender = { replica, incarnation, proof: current.proof() };
      const isDropped = (): boolean => connection !== ownConnection;
      const execute = (store: ModelStore) => command(store, sender);
      clock.setTimer(latencyMs, () => {
        if (this.state === 'down') return reject(new SlotStoreError('closed'));
        const respond = (): void => {
          if (isDropped() && !executesDropped) return reject(new SlotStoreError('closed'));
          this.#log.push({ at: clock.now(), execute });
          const reply = execute(this.#store);
          const { clock: time, stamp } = this.#store;
          clock.setTimer(latencyMs, () => {
            if (isDropped()) return reject(new SlotStoreError('closed'));
            if (reply === NOT_A_MEMBER) return reject(new SlotStoreError(NOT_A_MEMBER));
            current.observe(Math.floor(time!), stamp);
            resolve(reply);
          });
        };
        if (this.state === 'silent') this.#queue.push(respond);
        else respond();
      });
      return promise;
    };
    const ownConnections: Connection = {
      serverIsUp: (delayFactor) => connect(delayFactor * reconnectDelayMs),
      serverIsDown: drop,
    };
    return {
      replica,
      open: (given) => {
        listener = given;
        this.#connections.add(ownConnections);
        connect(0);
      },
      join: (incarnation, fallbackSlots, leases) => {
        storeClock = new StoreClock(ownClock);
        const serverTime = Math.floor(clock.now() + this.#clockStep);
        return send(incarnation, (store, sender) => store.join(sender, fallbackSlots, leases, serverTime));
      },
      acquire: (incarnation, id, requests) =>
        send(incarnation, (store, sender) =>
          store.execute(sender, (now) => store.decide(replica, id, requests, now)),
        ),
      renew: (incarnation, reports) =>
        send(incarnation, (store, sender) =>
          store.execute(sender, (now) => store.decide(replica, undefined, reports, now)),
        ),
      release: (incarnation, id, holdMs) =>
        send(incarnation, (store, sender) =>
          store.execute(sender, (now) => store.release(replica, id, holdMs, now)),
        ),
      heartbeat: (incarnation, acknowledged) =>
        send(incarnation, (store, sender) =>
          store.execute(sender, (now) => store.heartbeat(replica, acknowledged, now)),
        ),
      nextProofAt: () => storeClock.nextProofAt(),
      reduce: (incarnation) =>
        send(incarnation, (store, sender) => store.execute(sender, (now) => store.reduce(now))),
      reconnect: () => {
        if (connection === undefined) return;
        connection = undefined;
        clock.setTimer(0, () => {
          // The old connection never closes after the new one is ready.
          if (connection === undefined) listener?.disconnected('closed');
        });
        connect(reconnectDelayMs);
      },
      close: async () => {
        listener = undefined;
        this.#connections.delete(ownConnections);
      },
    };
  }
}
