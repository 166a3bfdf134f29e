import type { Redis } from 'ioredis';
import type { AcquireRequest, Decision } from '../slot-pool.js';
import { ACQUIRE } from './scripts/acquire.js';
import { HEARTBEAT, JOIN, LEAVE } from './scripts/membership.js';
import { REDUCE, RELEASE } from './scripts/slots.js';
import {
  type LeaseSnapshot,
  type MembershipState,
  NOT_A_MEMBER,
  type SlotStore,
  SlotStoreError,
  type StoreSnapshot,
} from './slot-store.js';

const SCRIPTS = {
  acquire: ACQUIRE,
  release: RELEASE,
  join: JOIN,
  heartbeat: HEARTBEAT,
  reduce: REDUCE,
  leave: LEAVE,
};

export interface RedisSlotStoreOptions {
  /** Replicas with the same scope share their slots. The scope contains what the upstream counts by, such as the action. */
  scope: string;
  /** How many slots all replicas share. */
  perSecond: number;
  /** Identifies this replica. No other replica may have the same name. */
  replica: string;
  /** After how long a lease in flight expires, in milliseconds: `maxLeaseMs()`. */
  leaseMs: number;
}

type Reply = (string | number)[];
type Command = (...args: (string | number)[]) => Promise<Reply>;

/**
 * A slot store in Redis 6 or later, in Valkey, or in a Redis cluster. Each command is one Lua script, which Redis
 * executes atomically on its own clock.
 *
 * @see ../../../../docs/adr/0008-slots-in-redis.md
 */
export class RedisSlotStore implements SlotStore {
  readonly replica: string;
  readonly #redis: Redis;
  readonly #commands = {} as Record<keyof typeof SCRIPTS, Command>;
  #reason: string | undefined;

  /** @param redis not connected yet, and without an offline queue: commands fail while it is not connected */
  constructor(redis: Redis, { scope, perSecond, replica, leaseMs }: RedisSlotStoreOptions) {
    this.replica = replica;
    this.#redis = redis;
    // One hash tag: a cluster keeps all keys on one node.
    const keys = ['slots', 'demands', 'members', 'state'].map((name) => `ingest-gateway:{${scope}}:${name}`);
    for (const [name, lua] of Object.entries(SCRIPTS) as [keyof typeof SCRIPTS, string][]) {
      redis.defineCommand(name, { numberOfKeys: keys.length, lua });
      const command = (redis as unknown as Record<string, Command>)[name]!.bind(redis);
      this.#commands[name] = async (...args) => {
        const reply = await command(...keys, replica, perSecond, leaseMs, ...args).catch(throwStoreError);
        if (reply[0] === NOT_A_MEMBER) throw new SlotStoreError(NOT_A_MEMBER);
        return reply;
      };
    }
  }

  open(listener: { connected(): void; disconnected(reason: string): void }): void {
    this.#redis.on('error', (error: Error) => (this.#reason = failureReason(error)));
    this.#redis.on('ready', () => listener.connected());
    this.#redis.on('close', () => {
      listener.disconnected(this.#reason ?? 'closed');
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
    return toMembershipState(await this.#commands.join(incarnation, fallbackSlots, ...leaseArguments));
  }

  async acquire(incarnation: number, id: string, { caller, newCalls, pendingCalls }: AcquireRequest) {
    const reply = await this.#commands.acquire(incarnation, id, caller, newCalls, pendingCalls);
    const [decision, ...snapshot] = reply as [Decision, ...number[]];
    return { decision, snapshot: toSnapshot(snapshot) };
  }

  async release(incarnation: number, id: string, holdMs: number): Promise<StoreSnapshot> {
    return toSnapshot((await this.#commands.release(incarnation, id, holdMs)) as number[]);
  }

  async heartbeat(
    incarnation: number,
    { fallbackSlots, epoch }: Omit<MembershipState, 'warmupMs'>,
  ): Promise<MembershipState> {
    return toMembershipState(await this.#commands.heartbeat(incarnation, fallbackSlots, epoch));
  }

  async reduce(incarnation: number) {
    const [reduced, capacity] = await this.#commands.reduce(incarnation);
    return { reduced: reduced === 1, capacity: Number(capacity) };
  }

  reconnect(): void {
    if (this.#redis.status === 'ready' || this.#redis.status === 'connect') this.#redis.disconnect(true);
  }

  async close(): Promise<void> {
    if (this.#redis.status === 'ready') await this.#commands.leave(0).catch(() => {});
    this.#redis.disconnect();
  }
}

function toMembershipState(reply: Reply): MembershipState {
  const [fallbackSlots = 0, epoch = 0, warmupMs = 0] = reply as number[];
  return { fallbackSlots, epoch, warmupMs };
}

function toSnapshot([capacity = 0, nextChangeInMs = 0, ...expiresInMs]: number[]): StoreSnapshot {
  return { capacity, nextChangeInMs, expiresInMs: expiresInMs.map((ms) => (ms < 0 ? Infinity : ms)) };
}

function throwStoreError(error: unknown): never {
  throw new SlotStoreError(failureReason(error));
}

/** Returns the system error code or the first word of a Redis error. The rest of its text may contain addresses. */
function failureReason(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code) return code;
  return /^[A-Z]{3,}(?= )/.exec(message)?.[0] ?? (message.startsWith('Command timed') ? 'timeout' : 'closed');
}
