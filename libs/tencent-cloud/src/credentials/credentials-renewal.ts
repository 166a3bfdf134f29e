import type { Clock } from '../clock.js';
import type { Credentials } from './credentials.js';
import { CredentialsUnavailableError } from './credentials-provider.js';

const INTERVAL_MS = 10_000;

/** Limits the load of the source while the cloud rejects everything that it issues. */
const MAX_RENEWALS_PER_INTERVAL = 3;

export interface CredentialsRenewalOptions {
  /** @throws CredentialsUnavailableError */
  getCredentials(): Credentials;
  /** Loads the credentials again. Resolves after one try, even if it fails. */
  renewCredentials(): Promise<void>;
  clock: Clock;
}

/**
 * Replaces credentials that the cloud has rejected: one try at a time, in ten seconds at most one for the same credentials
 * and three in all.
 */
export class CredentialsRenewal {
  readonly #options: CredentialsRenewalOptions;
  #running: Promise<void> | undefined;
  #recent: { readonly rejected: Credentials; readonly atMs: number }[] = [];

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
    if (!this.#running && this.#mayRenew(rejected)) this.#running = this.#renew(rejected);
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const cancelTimer = clock.setTimer(timeoutMs, resolve);
    await Promise.race([this.#running, timeout]);
    cancelTimer();
    return this.#isReplaced(rejected);
  }

  #mayRenew(rejected: Credentials): boolean {
    const now = this.#options.clock.now();
    this.#recent = this.#recent.filter(({ atMs }) => now - atMs < INTERVAL_MS);
    const isRepeated = this.#recent.some((renewal) => renewal.rejected.equals(rejected));
    return !isRepeated && this.#recent.length < MAX_RENEWALS_PER_INTERVAL;
  }

  async #renew(rejected: Credentials): Promise<void> {
    await this.#options.renewCredentials();
    this.#recent.push({ rejected, atMs: this.#options.clock.now() });
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
