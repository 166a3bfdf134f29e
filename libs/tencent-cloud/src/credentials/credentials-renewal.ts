import type { Clock } from '../clock.js';
import type { Credentials } from './credentials.js';
import { CredentialsUnavailableError } from './credentials-provider.js';

/** Limits the load of the source while the cloud rejects everything that it issues. */
const MIN_INTERVAL_MS = 10_000;

export interface CredentialsRenewalOptions {
  /** @throws CredentialsUnavailableError */
  getCredentials(): Credentials;
  /** Loads the credentials again. Resolves after one try, even if it fails. */
  renewCredentials(): Promise<void>;
  clock: Clock;
}

/** Replaces credentials that the cloud has rejected: one try at a time, with ten seconds between two of them. */
export class CredentialsRenewal {
  readonly #options: CredentialsRenewalOptions;
  #running: Promise<void> | undefined;
  #lastMs = -Infinity;

  constructor(options: CredentialsRenewalOptions) {
    this.#options = options;
  }

  /**
   * @param timeoutMs how long to wait for the source, in milliseconds
   * @returns whether other credentials are in use now
   */
  async replace(rejected: Credentials, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#options;
    if (this.#isReplaced(rejected)) return true;
    if (!this.#running && clock.now() - this.#lastMs >= MIN_INTERVAL_MS) this.#running = this.#renew();
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const cancelTimer = clock.setTimer(timeoutMs, resolve);
    await Promise.race([this.#running, timeout]);
    cancelTimer();
    return this.#isReplaced(rejected);
  }

  async #renew(): Promise<void> {
    await this.#options.renewCredentials();
    this.#lastMs = this.#options.clock.now();
    this.#running = undefined;
  }

  #isReplaced(rejected: Credentials): boolean {
    try {
      return !this.#options.getCredentials().equals(rejected);
    } catch (error) {
      if (error instanceof CredentialsUnavailableError) return false;
      throw error;
    }
  }
}
