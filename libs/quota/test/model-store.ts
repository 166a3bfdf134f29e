import { Allowance } from '../src/allowance.js';
import type { Clock } from '../src/clock.js';
import { IN_FLIGHT } from '../src/earliest.js';
import { fairShare } from '../src/fair-share.js';
import { Leases } from '../src/leases.js';
import type { Ask } from '../src/slot-source.js';
import type { Coming, Standing, StoreView } from '../src/store/slot-store.js';
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

/** What the scripts in Redis do, in the words of this lib. */
export class ModelStore {
  #leases = new Leases();
  #wishes = new Wishes();
  #replicas = new Map<string, Member>();
  #newUntil: number | undefined;
  #era = 0;
  #allowance: Allowance;
  readonly #owners = new Map<string, string>();

  constructor(
    readonly perSecond: number,
    readonly leaseMs: number,
    readonly clock: Clock,
  ) {
    this.#allowance = new Allowance(perSecond);
  }

  /** It has forgotten all. */
  flush(): void {
    this.#leases = new Leases();
    this.#wishes = new Wishes();
    this.#allowance = new Allowance(this.perSecond);
    this.#replicas.clear();
    this.#owners.clear();
    this.#newUntil = undefined;
    this.#era = 0;
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
