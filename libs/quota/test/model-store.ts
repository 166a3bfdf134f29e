import { Allowance } from '../src/allowance.js';
import type { Clock } from '../src/clock.js';
import { IN_FLIGHT } from '../src/earliest.js';
import { fairShare } from '../src/fair-share.js';
import { Leases } from '../src/leases.js';
import type { Ask } from '../src/slot-source.js';
import { StoreFailed } from '../src/store/in-time.js';
import {
  type Coming,
  type SlotStore,
  type Standing,
  type StoreView,
  STRANGER,
} from '../src/store/slot-store.js';
import { EPOCH_MS, Wishes } from '../src/wishes.js';

const CAUTION_MS = 3000;
const LOOK_AGAIN_MS = 250;
const GONE_AFTER_MS = 5000;

interface Member {
  coming: number;
  seenAt: number;
  part: number;
  heard: number;
  readonly since: number;
  readonly joinedAt: number;
}

interface Listener {
  reached(): void;
  lost(reason: string): void;
}

/** What the scripts in Redis do, in the words of this lib; it can be emptied, silenced and cut off. */
export class ModelStore {
  #leases = new Leases();
  #wishes = new Wishes();
  #replicas = new Map<string, Member>();
  #newUntil: number | undefined;
  #era = 0;
  #allowance: Allowance;
  readonly #owners = new Map<string, string>();
  readonly #listeners = new Set<Listener>();
  /** `up`; `silent`: commands get no answer and are done when it ends; `down`: they fail. */
  state: 'up' | 'silent' | 'down' = 'up';
  #queue: (() => void)[] = [];
  #backAt = -Infinity;

  constructor(
    readonly perSecond: number,
    readonly leaseMs: number,
    readonly clock: Clock,
  ) {
    this.#allowance = new Allowance(perSecond);
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
    if (empty) this.flush();
    for (const late of this.#queue.splice(0)) late();
    for (const listener of this.#listeners) listener.reached();
  }

  flush(): void {
    this.#leases = new Leases();
    this.#wishes = new Wishes();
    this.#allowance = new Allowance(this.perSecond);
    this.#replicas.clear();
    this.#owners.clear();
    this.#newUntil = undefined;
    this.#era = 0;
  }

  /**
   * The way of one replica to it.
   *
   * @param wayMs one way
   * @param lateMs how much later than it is back it can be reached again
   */
  for(replica: string, wayMs: number, lateMs = 0): SlotStore {
    const { clock } = this;
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
      via(() => (this.knows(replica, coming) ? does() : STRANGER));
    return {
      open: (given) => {
        listener = {
          lost: (reason) => given.lost(reason),
          reached: () => void clock.wakeIn(wayMs, () => this.state === 'up' && given.reached()),
        };
        this.#listeners.add(listener);
        if (this.state === 'up') listener.reached();
      },
      join: (coming) => via(() => this.join(replica, coming)),
      take: (coming, id, ask) => asMember(coming, () => this.take(replica, id, ask)),
      giveBack: (coming, id, heldForMs) => asMember(coming, () => this.giveBack(replica, id, heldForMs)),
      beat: (coming, heard) => asMember(coming, () => this.beat(replica, heard)),
      lower: (coming) => asMember(coming, () => this.lower()),
      reconnect: () => {},
      close: async () => {
        if (listener) this.#listeners.delete(listener);
      },
    };
  }

  knows(replica: string, coming: number): boolean {
    return this.#replicas.get(replica)?.coming === coming;
  }

  join(replica: string, { number, part, leases }: Coming): Standing {
    const now = this.clock.now();
    if ((this.#replicas.get(replica)?.coming ?? 0) > number) return { part: 0, era: 0, newFor: 0 };
    this.#newUntil ??= now + CAUTION_MS;
    for (const [id, owner] of this.#owners) if (owner === replica) this.#leases.end(id, 0);
    for (const { id, caller, freeIn } of leases) this.#enter(replica, id, caller, now, freeIn);
    this.#era += 1;
    this.#replicas.set(replica, {
      coming: number,
      seenAt: now,
      part,
      heard: 0,
      since: this.#era,
      joinedAt: now,
    });
    return this.#standing(replica, part, now);
  }

  take(replica: string, id: string, ask: Ask) {
    const now = this.clock.now();
    const { caller } = ask;
    const inUse = this.#leases.inUse(now);
    this.#wishes.asked(ask, inUse.get(caller) ?? 0, now);
    let verdict = fairShare(caller, this.#allowance.at(now), inUse, this.#wishes.at(now));
    const own = [...this.#leases.at(now).keys()].filter((key) => this.#owners.get(key) === replica).length;
    const { part } = this.#replicas.get(replica)!;
    if (verdict === 'granted' && this.#cautiousFor(replica, now) > 0 && own >= part) verdict = 'quota';
    if (verdict === 'granted') {
      this.#enter(replica, id, caller, now, Infinity);
      this.#wishes.served(caller, now);
    }
    return { verdict, view: this.#view(replica, now) };
  }

  giveBack(replica: string, id: string, heldForMs: number): StoreView {
    const now = this.clock.now();
    if (this.#leases.at(now).has(id)) {
      this.#flying.delete(id);
      this.#owners.set(id, replica);
    }
    this.#leases.end(id, now + heldForMs);
    return this.#view(replica, now);
  }

  beat(replica: string, { part, era }: { part: number; era: number }): Standing {
    const now = this.clock.now();
    const own = this.#replicas.get(replica)!;
    own.heard = era;
    if (now - own.joinedAt >= CAUTION_MS && this.#newFor(now) === 0)
      for (const [name, { seenAt }] of this.#replicas)
        if (name !== replica && now - seenAt > GONE_AFTER_MS) this.#replicas.delete(name);
    return this.#standing(replica, part, now);
  }

  lower(): { lowered: boolean; capacity: number } {
    const now = this.clock.now();
    return { lowered: this.#allowance.lower(now), capacity: this.#allowance.at(now) };
  }

  // A slot in flight has an end all the same: that of the longest lease.
  readonly #flying = new Set<string>();

  #enter(replica: string, id: string, caller: string, now: number, freeIn: number): void {
    this.#owners.set(id, replica);
    if (freeIn === Infinity) this.#flying.add(id);
    else this.#flying.delete(id);
    this.#leases.enter(id, caller, now + Math.min(freeIn, this.leaseMs));
  }

  #newFor(now: number): number {
    return Math.max(0, (this.#newUntil ?? 0) - now);
  }

  #cautiousFor(replica: string, now: number): number {
    const { since, joinedAt } = this.#replicas.get(replica)!;
    const away = this.#others(replica).some(({ heard }) => heard < since);
    return Math.max(0, away ? joinedAt + CAUTION_MS - now : 0, this.#newFor(now));
  }

  #others(replica: string): Member[] {
    return [...this.#replicas].flatMap(([name, member]) => (name === replica ? [] : [member]));
  }

  #standing(replica: string, keeps: number, now: number): Standing {
    const others = this.#others(replica);
    const fair = Math.floor(this.perSecond / (others.length + 1));
    const left = this.perSecond - others.reduce((sum, { part }) => sum + part, 0);
    const newFor = this.#newFor(now);
    const fitting = Math.max(0, Math.min(fair, left));
    const part = newFor > 0 ? Math.min(fitting, keeps) : fitting;
    Object.assign(this.#replicas.get(replica)!, { seenAt: now, part: Math.max(part, keeps) });
    return { part, era: this.#era, newFor: Math.ceil(newFor) };
  }

  #view(replica: string, now: number): StoreView {
    const capacity = this.#allowance.at(now);
    const leases = [...this.#leases.at(now)];
    const freeIn = leases.map(([id, { freeAt }]) =>
      this.#flying.has(id) ? IN_FLIGHT : Math.ceil(freeAt - now),
    );
    let change = Math.min(1001, this.#allowance.nextStep(now) - now);
    for (const [id, { freeAt }] of leases) if (!this.#flying.has(id)) change = Math.min(change, freeAt - now);
    if (leases.length < capacity) change = Math.min(change, EPOCH_MS - (now % EPOCH_MS));
    const cautious = this.#cautiousFor(replica, now);
    if (cautious > 0) change = Math.min(change, cautious, LOOK_AGAIN_MS);
    return { capacity, freeIn, changeIn: Math.ceil(change) };
  }
}
