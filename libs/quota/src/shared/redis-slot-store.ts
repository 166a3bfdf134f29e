import type { Redis } from 'ioredis';
import type { AcquireRequest } from '../slot-pool.js';
import { SlotStoreError } from './with-timeout.js';
import {
  type JoinRequest,
  type SlotStore,
  type MembershipState,
  type StoreSnapshot,
  NOT_A_MEMBER,
} from './slot-store.js';
import { HEARTBEAT, JOIN, LEAVE } from './scripts/membership.js';
import { RELEASE, REDUCE } from './scripts/slots.js';
import { ACQUIRE } from './scripts/acquire.js';

/** What Redis is taught, by the names of the commands here. */
export const SCRIPTS = {
  acquire: ACQUIRE,
  release: RELEASE,
  join: JOIN,
  heartbeat: HEARTBEAT,
  reduce: REDUCE,
  leave: LEAVE,
};

export interface RedisSlotStoreOptions {
  /** What the quota is of: an endpoint and an action. Replicas with the same scope share their slots. */
  scope: string;
  /** Slots in all. */
  perSecond: number;
  /** Unlike any other replica's. */
  replica: string;
  /** How long a slot may be lent at most, in milliseconds: then it comes back even from a dead replica. */
  leaseMs: number;
}

type Reply = (string | number)[];
type Command = (...args: (string | number)[]) => Promise<Reply>;

/**
 * A store in Redis (6 or later) or Valkey, or in one node of a cluster. Connects in the background.
 *
 * @see ../../../../docs/decisions/0008-slots-in-redis.md
 */
export class RedisSlotStore implements SlotStore {
  readonly #redis: Redis;
  readonly #options: RedisSlotStoreOptions;
  readonly #commands = {} as Record<keyof typeof SCRIPTS, Command>;
  #reason: string | undefined;

  /** @param redis not connected yet; rejects what is asked while it is not connected */
  constructor(redis: Redis, options: RedisSlotStoreOptions, scripts = SCRIPTS) {
    this.#redis = redis;
    this.#options = options;
    // One hash tag: in a cluster all four live on one node.
    const key = (name: string): string => `ingest-gateway:{${options.scope}}:${name}`;
    const keys = [key('slots'), key('demands'), key('members'), key('state')];
    for (const name of Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]) {
      redis.defineCommand(name, { numberOfKeys: keys.length, lua: scripts[name] });
      const command = (redis as unknown as Record<string, Command>)[name]!.bind(redis);
      this.#commands[name] = (...args) => command(...keys, options.replica, ...args).catch(throwStoreError);
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

  async join({ incarnation, fallbackSlots, leases }: JoinRequest): Promise<MembershipState> {
    const leaseArguments = leases.flatMap(({ id, caller, expiresInMs }) => [
      id,
      caller,
      expiresInMs === Infinity ? -1 : expiresInMs,
    ]);
    const { perSecond, leaseMs } = this.#options;
    return toMembershipState(
      await this.#commands.join(incarnation, fallbackSlots, perSecond, leaseMs, ...leaseArguments),
    );
  }

  async acquire(incarnation: number, id: string, { caller, newCalls, pendingCalls }: AcquireRequest) {
    const { perSecond, leaseMs } = this.#options;
    const reply = await this.#commands.acquire(
      incarnation,
      id,
      caller,
      newCalls,
      pendingCalls,
      perSecond,
      leaseMs,
    );
    const [decision, ...snapshot] = reply as [
      'granted' | 'quota' | 'share' | typeof NOT_A_MEMBER,
      ...number[],
    ];
    return decision === NOT_A_MEMBER ? decision : { decision, snapshot: toSnapshot(snapshot) };
  }

  async release(
    incarnation: number,
    id: string,
    holdMs: number,
  ): Promise<StoreSnapshot | typeof NOT_A_MEMBER> {
    const [reply, ...snapshot] = await this.#commands.release(
      incarnation,
      id,
      holdMs,
      this.#options.perSecond,
    );
    return reply === NOT_A_MEMBER ? NOT_A_MEMBER : toSnapshot(snapshot as number[]);
  }

  async heartbeat(
    incarnation: number,
    acknowledged: { fallbackSlots: number; epoch: number },
  ): Promise<MembershipState | typeof NOT_A_MEMBER> {
    const { perSecond } = this.#options;
    const [reply, ...state] = await this.#commands.heartbeat(
      incarnation,
      acknowledged.fallbackSlots,
      acknowledged.epoch,
      perSecond,
    );
    return reply === NOT_A_MEMBER ? NOT_A_MEMBER : toMembershipState(state);
  }

  async reduce(incarnation: number) {
    const [reduced, capacity] = await this.#commands.reduce(incarnation, this.#options.perSecond);
    return reduced === NOT_A_MEMBER ? NOT_A_MEMBER : { reduced: reduced === 1, capacity: Number(capacity) };
  }

  reconnect(): void {
    if (this.#redis.status === 'ready' || this.#redis.status === 'connect') this.#redis.disconnect(true);
  }

  async close(): Promise<void> {
    if (this.#redis.status === 'ready') await this.#commands.leave(0).catch(() => {});
    this.#redis.disconnect();
  }
}

function toMembershipState([fallbackSlots, epoch, warmupMs]: Reply): MembershipState {
  return { fallbackSlots: Number(fallbackSlots), epoch: Number(epoch), warmupMs: Number(warmupMs) };
}

function toSnapshot([capacity = 0, nextChangeInMs = 0, ...expiresInMs]: number[]): StoreSnapshot {
  return { capacity, nextChangeInMs, expiresInMs: expiresInMs.map((ms) => (ms < 0 ? Infinity : ms)) };
}

function throwStoreError(error: unknown): never {
  throw new SlotStoreError(failureReason(error));
}

/** The system's code, or the word by which Redis names an error; its text may hold addresses. */
function failureReason(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code) return code;
  return /^[A-Z]{3,}(?= )/.exec(message)?.[0] ?? (message.startsWith('Command timed') ? 'timeout' : 'closed');
}
