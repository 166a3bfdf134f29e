import type { Clock } from '../clock.js';
import { IN_FLIGHT } from '../local/earliest-grant.js';
import type { Leases } from '../local/leases.js';
import type { QuotaObserver } from '../observer.js';
import {
  type Acknowledgement,
  type LeaseSnapshot,
  type MembershipState,
  NOT_A_MEMBER,
  type SlotStore,
  SlotStoreError,
} from './slot-store.js';
import { withTimeout } from './with-timeout.js';

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
 *   slots and the current epoch. The replica acknowledges changed values at once, because the store relies on a value
 *   only after its acknowledgement.
 * - **Loss**: a command that fails, times out or finds the replica unknown ends the membership. The replica then tries
 *   to join every 200 ms until it succeeds.
 */
export class StoreMembership {
  readonly #options: StoreMembershipOptions;
  #isMember = false;
  #isClosed = false;
  #hasReportedLoss = false;
  #hasJoinedBefore = false;
  #incarnation = 0;
  #acknowledged: Acknowledgement = { fallbackSlots: 0, epoch: 0 };
  #cancelTimer: (() => void) | undefined;

  constructor(options: StoreMembershipOptions) {
    this.#options = options;
    options.store.open({
      connected: () => void this.#join(),
      disconnected: (reason) => this.#handleLoss(reason),
    });
    this.#scheduleJoin(FIRST_JOIN_DELAY_MS);
  }

  get isMember(): boolean {
    return this.#isMember;
  }

  /** Grows with each registration. Every command carries it. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** How many slots this replica may lease without the store; 0 until the store has assigned some. */
  get fallbackSlots(): number {
    return this.#acknowledged.fallbackSlots;
  }

  /** Returns the response to a command. Returns undefined if it fails or is outdated; a failure ends the membership. */
  async command<T>(response: Promise<T | typeof NOT_A_MEMBER>): Promise<T | undefined> {
    const incarnation = this.#incarnation;
    try {
      const reply = await withTimeout(response, COMMAND_TIMEOUT_MS, this.#options.clock);
      if (incarnation !== this.#incarnation || !this.#isMember) return undefined;
      if (reply !== NOT_A_MEMBER) return reply;
      this.#handleLoss(NOT_A_MEMBER);
    } catch (error) {
      if (incarnation === this.#incarnation) this.#handleLoss(failureReason(error));
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#options.store.close();
  }

  #handleLoss(reason: string): void {
    if (this.#isClosed) return;
    this.#reportLoss(reason);
    if (!this.#isMember) return;
    this.#isMember = false;
    this.#options.store.reconnect();
    this.#scheduleJoin(RETRY_INTERVAL_MS);
    this.#options.disconnected();
  }

  #reportLoss(reason: string): void {
    if (this.#hasReportedLoss) return;
    this.#hasReportedLoss = true;
    this.#options.observer.storeDisconnected?.(reason, this.fallbackSlots);
  }

  #scheduleJoin(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => void this.#join());
  }

  async #join(): Promise<void> {
    if (this.#isMember || this.#isClosed) return;
    this.#cancelTimer?.();
    const { store, clock, leases } = this.#options;
    this.#incarnation += 1;
    const incarnation = this.#incarnation;
    const { version } = leases;
    try {
      const request = { incarnation, fallbackSlots: this.fallbackSlots, leases: this.#leaseSnapshots() };
      const state = await withTimeout(store.join(request), COMMAND_TIMEOUT_MS, clock);
      if (incarnation !== this.#incarnation || this.#isClosed) return;
      // Leases that changed since the request was sent are not registered yet.
      if (version === leases.version) this.#activate(state);
      else await this.#join();
    } catch (error) {
      if (incarnation !== this.#incarnation || this.#isClosed) return;
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
    this.#hasReportedLoss = false;
    this.#hasJoinedBefore = true;
    this.#options.observer.storeConnected?.();
    this.#apply(state);
    this.#options.joined(state, isFirst);
  }

  #apply({ fallbackSlots, epoch }: MembershipState): void {
    const isChanged =
      fallbackSlots !== this.#acknowledged.fallbackSlots || epoch !== this.#acknowledged.epoch;
    this.#acknowledged = { fallbackSlots, epoch };
    this.#cancelTimer?.();
    if (isChanged) void this.#sendHeartbeat();
    else
      this.#cancelTimer = this.#options.clock.setTimer(
        HEARTBEAT_INTERVAL_MS,
        () => void this.#sendHeartbeat(),
      );
  }

  async #sendHeartbeat(): Promise<void> {
    const state = await this.command(this.#options.store.heartbeat(this.#incarnation, this.#acknowledged));
    if (state && !this.#isClosed) this.#apply(state);
  }
}

function failureReason(error: unknown): string {
  return error instanceof SlotStoreError ? error.reason : 'unknown';
}
