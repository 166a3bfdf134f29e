import type { Redis } from 'ioredis';
import type { Ask } from '../slot-source.js';
import { StoreFailed } from '../store/in-time.js';
import { type Coming, type SlotStore, type Standing, type StoreView, STRANGER } from '../store/slot-store.js';
import { BEAT, JOIN, LEAVE } from './scripts/replicas.js';
import { GIVE_BACK, LOWER } from './scripts/slots.js';
import { TAKE } from './scripts/take.js';

/** What Redis is taught, by the names of the commands here. */
export const SCRIPTS = {
  take: TAKE,
  giveBack: GIVE_BACK,
  join: JOIN,
  beat: BEAT,
  lower: LOWER,
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
    const keys = [key('slots'), key('callers'), key('replicas'), key('state')];
    for (const name of Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]) {
      redis.defineCommand(name, { numberOfKeys: keys.length, lua: scripts[name] });
      const command = (redis as unknown as Record<string, Command>)[name]!.bind(redis);
      this.#commands[name] = (...args) => command(...keys, options.replica, ...args).catch(fail);
    }
  }

  open(listener: { reached(): void; lost(reason: string): void }): void {
    this.#redis.on('error', (error: Error) => (this.#reason = reasonOf(error)));
    this.#redis.on('ready', () => listener.reached());
    this.#redis.on('close', () => {
      listener.lost(this.#reason ?? 'closed');
      this.#reason = undefined;
    });
    this.#redis.connect().catch(() => {});
  }

  async join({ number, part, leases }: Coming): Promise<Standing> {
    const entered = leases.flatMap(({ id, caller, freeIn }) => [
      id,
      caller,
      freeIn === Infinity ? -1 : freeIn,
    ]);
    const { perSecond, leaseMs } = this.#options;
    return standingOf(await this.#commands.join(number, part, perSecond, leaseMs, ...entered));
  }

  async take(coming: number, id: string, { caller, fresh, wanted }: Ask) {
    const { perSecond, leaseMs } = this.#options;
    const reply = await this.#commands.take(coming, id, caller, fresh, wanted, perSecond, leaseMs);
    const [verdict, ...view] = reply as ['granted' | 'quota' | 'share' | typeof STRANGER, ...number[]];
    return verdict === STRANGER ? verdict : { verdict, view: viewOf(view) };
  }

  async giveBack(coming: number, id: string, heldForMs: number): Promise<StoreView | typeof STRANGER> {
    const [word, ...view] = await this.#commands.giveBack(coming, id, heldForMs, this.#options.perSecond);
    return word === STRANGER ? STRANGER : viewOf(view as number[]);
  }

  async beat(coming: number, heard: { part: number; era: number }): Promise<Standing | typeof STRANGER> {
    const { perSecond } = this.#options;
    const [word, ...standing] = await this.#commands.beat(coming, heard.part, heard.era, perSecond);
    return word === STRANGER ? STRANGER : standingOf(standing);
  }

  async lower(coming: number) {
    const [lowered, capacity] = await this.#commands.lower(coming, this.#options.perSecond);
    return lowered === STRANGER ? STRANGER : { lowered: lowered === 1, capacity: Number(capacity) };
  }

  reconnect(): void {
    if (this.#redis.status === 'ready' || this.#redis.status === 'connect') this.#redis.disconnect(true);
  }

  async close(): Promise<void> {
    if (this.#redis.status === 'ready') await this.#commands.leave(0).catch(() => {});
    this.#redis.disconnect();
  }
}

function standingOf([part, era, newFor]: Reply): Standing {
  return { part: Number(part), era: Number(era), newFor: Number(newFor) };
}

function viewOf([capacity = 0, changeIn = 0, ...freeIn]: number[]): StoreView {
  return { capacity, changeIn, freeIn: freeIn.map((ms) => (ms < 0 ? Infinity : ms)) };
}

function fail(error: unknown): never {
  throw new StoreFailed(reasonOf(error));
}

/** The system's code, or the word by which Redis names an error; its text may hold addresses. */
function reasonOf(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code) return code;
  return /^[A-Z]{3,}(?= )/.exec(message)?.[0] ?? (message.startsWith('Command timed') ? 'timeout' : 'closed');
}
