import type { Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import type { AcquireRequest, Decision } from '../slot-pool.js';
import { failureReason } from './failure-reason.js';
import { ACQUIRE, NO_LEASE } from './scripts/acquire.js';
import { HEARTBEAT, JOIN, LEAVE } from './scripts/membership.js';
import { INVALID_DATA } from './scripts/prelude.js';
import { REDUCE, RELEASE } from './scripts/slots.js';
import {
  type Acknowledgement,
  CLOSED,
  type LeaseSnapshot,
  type MembershipState,
  NOT_A_MEMBER,
  type SlotStore,
  SlotStoreError,
  type StoreDecisions,
  type StoreSnapshot,
} from './slot-store.js';
import { StoreClock } from './store-clock.js';

const SCRIPTS = {
  acquire: ACQUIRE,
  renew: ACQUIRE,
  release: RELEASE,
  join: JOIN,
  heartbeat: HEARTBEAT,
  reduce: REDUCE,
  leave: LEAVE,
};

/** A command that is sent while the replica works. */
export type StoreCommand = Exclude<keyof typeof SCRIPTS, 'leave'>;

export interface RedisSlotStoreOptions {
  /** Replicas with the same scope share their slots. The scope contains what the upstream counts by, such as the action. */
  scope: string;
  /** How many slots all replicas share. */
  perSecond: number;
  /** Identifies this replica. No other replica may have the same name. */
  replica: string;
  /** After how long a lease in flight expires, in milliseconds: `maxLeaseMs()`. */
  leaseMs: number;
  clock: Clock;
  /** Called with each command that is sent. */
  onCommand?: (command: StoreCommand) => void;
}

type Command = (incarnation: number, ...args: (string | number)[]) => Promise<unknown[]>;

const DECISIONS: readonly unknown[] = ['granted', 'quota', 'share'] satisfies Decision[];

/** The bounds of the numbers in replies: no script returns larger ones. */
const MAX_LEASES = 1000;
const MAX_LEASE_MS = 64_000;
const MAX_DELAY_MS = 10_000;

/**
 * A slot store in Redis 6 or later, in Valkey, or in a Redis cluster. Each command is one Lua script, which Redis
 * executes atomically. The time of the Redis server decides nothing. A reply that no script returns, and data that no
 * script wrote, end the membership.
 *
 * @see ../../../../docs/adr/0008-slots-in-redis.md
 */
export class RedisSlotStore implements SlotStore {
  readonly replica: string;
  readonly #redis: Redis;
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #commands = {} as Record<keyof typeof SCRIPTS, Command>;
  #storeClock: StoreClock;
  #reason: string | undefined;
  #isReconnecting = false;

  /** @param redis not connected yet, and without an offline queue: commands fail while it is not connected */
  constructor(redis: Redis, { scope, perSecond, replica, leaseMs, clock, onCommand }: RedisSlotStoreOptions) {
    this.replica = replica;
    this.#redis = redis;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#storeClock = new StoreClock(clock);
    // One hash tag: a cluster keeps both keys on one node.
    const keys = ['quota', 'members'].map((name) => `ingest-gateway:{${scope}}:${name}`);
    for (const [name, lua] of Object.entries(SCRIPTS) as [keyof typeof SCRIPTS, string][]) {
      redis.defineCommand(name, { numberOfKeys: keys.length, lua });
      const run = (redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!;
      this.#commands[name] = async (incarnation, ...args) => {
        if (name !== 'leave') onCommand?.(name);
        // A reply to a command of an earlier membership is not recorded in the clock of the current one.
        const storeClock = this.#storeClock;
        const { time, observedStamp, provenStamp } = storeClock.proof();
        const proof = [time, observedStamp, provenStamp];
        const reply: unknown = await run
          .call(redis, ...keys, replica, perSecond, leaseMs, incarnation, ...proof, ...args)
          .catch(throwStoreError);
        const [storeTime, stamp, ...result] = Array.isArray(reply) ? (reply as unknown[]) : [];
        if (storeTime === NOT_A_MEMBER) throw new SlotStoreError(NOT_A_MEMBER);
        storeClock.observe(integer(storeTime), integer(stamp));
        return result;
      };
    }
  }

  /** Returns the clock of the store in milliseconds; undefined before this replica has joined. */
  now(): number | undefined {
    return this.#storeClock.now();
  }

  nextProofAt(): number {
    return this.#storeClock.nextProofAt();
  }

  open(listener: { connected(): void; disconnected(reason: string): void }): void {
    // The first error of a connection is the cause of the others.
    this.#redis.on('error', (error: Error) => (this.#reason ??= failureReason(error)));
    // A connection with an error is closing.
    this.#redis.on('ready', () => this.#reason ?? listener.connected());
    this.#redis.on('close', () => {
      this.#isReconnecting = false;
      listener.disconnected(this.#reason ?? CLOSED);
      this.#reason = undefined;
    });
    this.#redis.connect().catch(() => {});
  }

  async join(
    incarnation: number,
    fallbackSlots: number,
    leases: readonly LeaseSnapshot[],
  ): Promise<MembershipState> {
    const leaseArguments = leases.flatMap(({ id, caller, expiresInMs }) => [
      id,
      caller,
      expiresInMs === Infinity ? -1 : expiresInMs,
    ]);
    this.#storeClock = new StoreClock(this.#clock);
    return this.#toMembershipState(await this.#commands.join(incarnation, fallbackSlots, ...leaseArguments));
  }

  acquire(incarnation: number, id: string, requests: readonly AcquireRequest[]): Promise<StoreDecisions> {
    return this.#decide(this.#commands.acquire, incarnation, id, requests);
  }

  renew(incarnation: number, reports: readonly AcquireRequest[]): Promise<StoreDecisions> {
    return this.#decide(this.#commands.renew, incarnation, NO_LEASE, reports);
  }

  async release(incarnation: number, id: string, holdMs: number): Promise<StoreSnapshot> {
    return this.#toSnapshot(await this.#commands.release(incarnation, id, holdMs));
  }

  async heartbeat(incarnation: number, { fallbackSlots, epoch }: Acknowledgement): Promise<MembershipState> {
    return this.#toMembershipState(await this.#commands.heartbeat(incarnation, fallbackSlots, epoch));
  }

  async reduce(incarnation: number) {
    const [reduced, capacity] = await this.#commands.reduce(incarnation);
    return { reduced: integer(reduced, 1) === 1, capacity: integer(capacity, this.#perSecond) };
  }

  reconnect(): void {
    // ioredis adds a listener each time, and a server that does not respond closes nothing.
    if (this.#isReconnecting || !['ready', 'connect'].includes(this.#redis.status)) return;
    this.#isReconnecting = true;
    this.#redis.disconnect(true);
  }

  async close(): Promise<void> {
    if (this.#redis.status === 'ready') await this.#commands.leave(0).catch(() => {});
    this.#redis.disconnect();
  }

  async #decide(
    command: Command,
    incarnation: number,
    id: string,
    requests: readonly AcquireRequest[],
  ): Promise<StoreDecisions> {
    const requestArguments = requests.flatMap(({ caller, newCalls, pendingCalls, isBackground }) => [
      caller,
      newCalls,
      pendingCalls,
      isBackground ? 1 : 0,
    ]);
    const reply = await command(incarnation, id, ...requestArguments);
    const decisions = reply.slice(0, requests.length);
    if (decisions.length < requests.length || !decisions.every((one) => DECISIONS.includes(one)))
      throw new SlotStoreError(INVALID_DATA);
    return {
      decisions: decisions as Decision[],
      snapshot: this.#toSnapshot(reply.slice(requests.length)),
    };
  }

  #toMembershipState([fallbackSlots, epoch, warmupMs, ...snapshot]: unknown[]): MembershipState {
    return {
      fallbackSlots: integer(fallbackSlots, this.#perSecond),
      epoch: integer(epoch),
      warmupMs: integer(warmupMs, MAX_DELAY_MS),
      snapshot: this.#toSnapshot(snapshot),
    };
  }

  #toSnapshot([capacity, nextChangeInMs, ...expiresInMs]: unknown[]): StoreSnapshot {
    if (expiresInMs.length > MAX_LEASES) throw new SlotStoreError(INVALID_DATA);
    return {
      capacity: integer(capacity, this.#perSecond),
      nextChangeInMs: integer(nextChangeInMs, MAX_DELAY_MS),
      expiresInMs: expiresInMs.map((ms) => (ms === -1 ? Infinity : integer(ms, MAX_LEASE_MS))),
    };
  }
}

/** @throws SlotStoreError unless the value is an integer from 0 to `max` */
function integer(value: unknown, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number;
  throw new SlotStoreError(INVALID_DATA);
}

function throwStoreError(error: unknown): never {
  throw new SlotStoreError(failureReason(error));
}
