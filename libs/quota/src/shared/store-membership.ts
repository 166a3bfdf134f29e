import type { Clock } from '../clock.js';
import type { Leases } from '../local/leases.js';
import type { QuotaObserver } from '../observer.js';
import {
  type Acknowledgement,
  CLOSED,
  type LeaseSnapshot,
  type MembershipState,
  type SlotStore,
  SlotStoreError,
  type StoreSnapshot,
} from './slot-store.js';

/** A command without a response after this time, in milliseconds, has failed. */
const COMMAND_TIMEOUT_MS = 250;

const RETRY_INTERVAL_MS = 200;
const HEARTBEAT_INTERVAL_MS = 1000;

/** How long the first connection may take, in milliseconds, before the store counts as unavailable. */
const FIRST_JOIN_DELAY_MS = 1000;

export interface StoreMembershipOptions {
  store: SlotStore;
  clock: Clock;
  /** The leases of this replica. */
  leases: Leases;
  /** This replica is a member now, and the store knows its leases. */
  joined(state: MembershipState, isFirst: boolean): void;
  /** A heartbeat returned the shared slots. */
  updated(snapshot: StoreSnapshot): void;
  /** This replica is no longer a member. */
  disconnected(): void;
  observer: Partial<QuotaObserver>;
}

/**
 * The membership of this replica in a slot store. Only a member acquires slots from the store.
 *
 * - **Join**: when the store connects, the replica registers itself with all of its leases. Each registration has a new
 *   incarnation, and responses to commands of an older one are ignored.
 * - **Heartbeat**: once a second the replica reports that it is alive. The response contains its number of fallback
 *   slots, the current epoch and the shared slots. The replica acknowledges changed values at once, because the store relies on a value
 *   only after its acknowledgement.
 * - **Loss**: a command that fails, times out or finds the replica unknown ends the membership. The replica then tries
 *   to join every 200 ms until it succeeds.
 */
export class StoreMembership {
  readonly #options: StoreMembershipOptions;
  #isMember = false;
  #isClosed = false;
  /** The reasons of the current loss that were reported. */
  readonly #reportedReasons = new Set<string>();
  #hasJoined = false;
  /** Grows with each registration. Every command carries it. */
  #incarnation = 0;
  /** The values that this replica received last. */
  #state: Acknowledgement = { fallbackSlots: 0, epoch: 0 };
  #cancelTimer: (() => void) | undefined;

  constructor(options: StoreMembershipOptions) {
    this.#options = options;
    options.store.open({
      connected: () => void this.#join(),
      disconnected: (reason) => this.#handleLoss(reason),
    });
    this.#schedule(FIRST_JOIN_DELAY_MS, () => this.#join());
  }

  get isMember(): boolean {
    return this.#isMember;
  }

  /** Whether this replica has ever been a member. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** How many slots this replica may lease without the store; 0 until the store has assigned some. */
  get fallbackSlots(): number {
    return this.#state.fallbackSlots;
  }

  /** Returns the response to a command. Returns undefined if it fails or is outdated; a failure ends the membership. */
  async command<T>(send: (incarnation: number) => Promise<T>): Promise<T | undefined> {
    const incarnation = this.#incarnation;
    const isCurrent = (): boolean => incarnation === this.#incarnation && this.#isMember;
    try {
      const reply = await this.#withTimeout(send(incarnation));
      return isCurrent() ? reply : undefined;
    } catch (error) {
      if (isCurrent()) this.#handleLoss((error as SlotStoreError).reason);
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#options.store.close();
  }

  #handleLoss(reason: string): void {
    if (this.#isClosed) return;
    const { store, observer } = this.#options;
    const isNew =
      !this.#reportedReasons.has(reason) && (reason !== CLOSED || this.#reportedReasons.size === 0);
    if (isNew) observer.storeDisconnected?.(reason, this.fallbackSlots);
    this.#reportedReasons.add(reason);
    store.reconnect();
    this.#schedule(RETRY_INTERVAL_MS, () => this.#join());
    if (!this.#isMember) return;
    this.#isMember = false;
    this.#options.disconnected();
  }

  async #join(): Promise<void> {
    if (this.#isMember || this.#isClosed) return;
    this.#cancelTimer?.();
    const { store, leases } = this.#options;
    this.#incarnation += 1;
    const incarnation = this.#incarnation;
    const { version } = leases;
    try {
      const joining = store.join(incarnation, this.fallbackSlots, this.#leaseSnapshots());
      const state = await this.#withTimeout(joining);
      if (incarnation !== this.#incarnation || this.#isClosed) return;
      // Leases that changed since the request was sent are not registered yet.
      if (version === leases.version) this.#activate(state);
      else await this.#join();
    } catch (error) {
      if (incarnation === this.#incarnation) this.#handleLoss((error as SlotStoreError).reason);
    }
  }

  #leaseSnapshots(): LeaseSnapshot[] {
    const now = this.#options.clock.now();
    return Array.from(this.#options.leases.active(now), ([id, { caller, expiresAt }]) => ({
      id,
      caller,
      expiresInMs: expiresAt - now,
    }));
  }

  #activate(state: MembershipState): void {
    const isFirst = !this.#hasJoined;
    this.#isMember = true;
    this.#reportedReasons.clear();
    this.#hasJoined = true;
    this.#options.observer.storeConnected?.();
    this.#apply(state);
    this.#options.joined(state, isFirst);
  }

  #apply(state: MembershipState): void {
    const { fallbackSlots, epoch } = this.#state;
    const isChanged = state.fallbackSlots !== fallbackSlots || state.epoch !== epoch;
    this.#state = state;
    const proofInMs = this.#options.store.nextProofAt() - this.#options.clock.now();
    const delayMs = Math.min(HEARTBEAT_INTERVAL_MS, Math.max(0, proofInMs));
    this.#schedule(isChanged ? 0 : delayMs, () => this.#sendHeartbeat());
  }

  async #sendHeartbeat(): Promise<void> {
    const { store } = this.#options;
    const state = await this.command((incarnation) => store.heartbeat(incarnation, this.#state));
    if (!state || this.#isClosed) return;
    this.#apply(state);
    this.#options.updated(state.snapshot);
  }

  /** Sets the one timer. */
  #schedule(delayMs: number, run: () => Promise<void>): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => void run());
  }

  async #withTimeout<T>(response: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const { promise: timeout, reject } = Promise.withResolvers<never>();
    // If this process was blocked, the response may be queued behind the timer: the second timer lets it arrive.
    let cancel = clock.setTimer(COMMAND_TIMEOUT_MS, () => {
      cancel = clock.setTimer(1, () => reject(new SlotStoreError('timeout')));
    });
    try {
      return await Promise.race([response, timeout]);
    } finally {
      cancel();
    }
  }
}
