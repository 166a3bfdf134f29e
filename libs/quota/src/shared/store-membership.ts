import type { Clock } from '../clock.js';
import { IN_FLIGHT } from '../local/earliest-grant.js';
import type { Leases } from '../local/leases.js';
import { withTimeout } from './with-timeout.js';
import { type LeaseSnapshot, type SlotStore, type MembershipState, NOT_A_MEMBER } from './slot-store.js';

/** No caller waits longer than this for the store, in milliseconds. */
const COMMAND_TIMEOUT_MS = 250;

const RETRY_INTERVAL_MS = 200;
const HEARTBEAT_INTERVAL_MS = 1000;

/** The store says when it is reached; one that says nothing at all is tried after this, in milliseconds. */
const FIRST_JOIN_DELAY_MS = 1000;

/** Is told how the store fares. */
export interface StoreObserver {
  /** Slots come from the store. */
  storeConnected(): void;
  /**
   * The store is out of reach.
   *
   * @param fallbackSlots how many slots this replica lends by itself after the hold; 0 when it must lend none
   */
  storeDisconnected(reason: string, fallbackSlots: number): void;
}

export interface StoreMembershipOptions {
  store: SlotStore;
  clock: Clock;
  /** What this replica has lent. */
  leases: Leases;
  /** The store knows this replica, and what it has lent. */
  joined(state: MembershipState, isFirst: boolean): void;
  /** The store does not answer, or does not know this replica any more. */
  disconnected(): void;
  observer: StoreObserver | undefined;
}

/** Keeps this replica among those that share a store: joins, says that it lives, and comes back when it was lost. */
export class StoreMembership {
  readonly #options: StoreMembershipOptions;
  #isMember = false;
  #closed = false;
  #lossReported = false;
  #hasJoinedBefore = false;
  #incarnation = 0;
  /** What the store said last. */
  #acknowledged = { fallbackSlots: 0, epoch: 0 };
  #cancelTimer: (() => void) | undefined;

  constructor(options: StoreMembershipOptions) {
    this.#options = options;
    options.store.open({
      connected: () => void this.#join(),
      disconnected: (reason) => this.#handleLoss(reason),
    });
    this.#scheduleJoin(FIRST_JOIN_DELAY_MS);
  }

  /** Whether slots come from the store. */
  get isMember(): boolean {
    return this.#isMember;
  }

  /** Which coming of this replica it is. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** How many slots this replica may lend by itself; 0 until the others leave it some. */
  get fallbackSlots(): number {
    return this.#acknowledged.fallbackSlots;
  }

  /** Awaits the store's word; undefined when there is none, and then the store is lost. */
  async command<T>(response: Promise<T | typeof NOT_A_MEMBER>): Promise<T | undefined> {
    const incarnation = this.#incarnation;
    try {
      const reply = await withTimeout(response, COMMAND_TIMEOUT_MS, this.#options.clock);
      // What was asked before the store was lost says nothing of it now.
      if (incarnation !== this.#incarnation || !this.#isMember) return undefined;
      if (reply !== NOT_A_MEMBER) return reply;
      this.#handleLoss(NOT_A_MEMBER);
    } catch (error) {
      if (incarnation === this.#incarnation) this.#handleLoss(failureReason(error));
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#options.store.close();
  }

  #handleLoss(reason: string): void {
    if (this.#closed) return;
    if (!this.#isMember) return this.#reportLoss(reason);
    this.#isMember = false;
    this.#reportLoss(reason);
    this.#options.store.reconnect();
    this.#scheduleJoin(RETRY_INTERVAL_MS);
    this.#options.disconnected();
  }

  #reportLoss(reason: string): void {
    if (this.#lossReported) return;
    this.#lossReported = true;
    this.#options.observer?.storeDisconnected(reason, this.fallbackSlots);
  }

  #scheduleJoin(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => void this.#join());
  }

  async #join(): Promise<void> {
    if (this.#isMember || this.#closed) return;
    this.#cancelTimer?.();
    const { store, clock, leases } = this.#options;
    this.#incarnation += 1;
    const incarnation = this.#incarnation;
    const { version } = leases;
    try {
      const request = { incarnation, fallbackSlots: this.fallbackSlots, leases: this.#leaseSnapshots() };
      const state = await withTimeout(store.join(request), COMMAND_TIMEOUT_MS, clock);
      if (incarnation !== this.#incarnation || this.#closed) return;
      // What was lent or answered meanwhile is not entered yet.
      if (version === leases.version) this.#activate(state);
      else await this.#join();
    } catch (error) {
      if (incarnation !== this.#incarnation || this.#closed) return;
      this.#reportLoss(failureReason(error));
      store.reconnect();
      this.#scheduleJoin(RETRY_INTERVAL_MS);
    }
  }

  #leaseSnapshots(): LeaseSnapshot[] {
    const now = this.#options.clock.now();
    return Array.from(this.#options.leases.active(now), ([id, { caller, expiresAt }]) => ({
      id,
      caller,
      expiresInMs: expiresAt === IN_FLIGHT ? Infinity : expiresAt - now,
    }));
  }

  #activate(state: MembershipState): void {
    const isFirst = !this.#hasJoinedBefore;
    this.#isMember = true;
    this.#lossReported = false;
    this.#hasJoinedBefore = true;
    this.#options.observer?.storeConnected();
    this.#apply(state);
    this.#options.joined(state, isFirst);
  }

  /** What is new is confirmed at once: until then the store does not count on it. */
  #apply({ fallbackSlots, epoch }: MembershipState): void {
    const changed = fallbackSlots !== this.#acknowledged.fallbackSlots || epoch !== this.#acknowledged.epoch;
    this.#acknowledged = { fallbackSlots, epoch };
    this.#cancelTimer?.();
    if (changed) void this.#sendHeartbeat();
    else
      this.#cancelTimer = this.#options.clock.setTimer(
        HEARTBEAT_INTERVAL_MS,
        () => void this.#sendHeartbeat(),
      );
  }

  async #sendHeartbeat(): Promise<void> {
    const state = await this.command(this.#options.store.heartbeat(this.#incarnation, this.#acknowledged));
    if (state && !this.#closed) this.#apply(state);
  }
}

function failureReason(error: unknown): string {
  return error instanceof Error && 'reason' in error ? String(error.reason) : 'unknown';
}
