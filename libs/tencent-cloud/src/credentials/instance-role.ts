import axios, { isAxiosError } from 'axios';
import type { Clock } from '../clock.js';
import { Credentials } from './credentials.js';
import { NoCredentials } from './no-credentials.js';
import { isSecret, isSecretId } from './secret-text.js';
import type { CredentialsObserver, CredentialsSource } from './source.js';

const METADATA_SERVICE = new URL('http://metadata.tencentyun.com');
const PATH = '/latest/meta-data/cam/security-credentials/';

/** The service is on the same host: it answers at once or is not well. */
const TIMEOUT_MS = 2000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** How long before they expire new ones are asked for: the service has them by then. */
const MARGIN_MS = 5 * 60_000;

/** Credentials that arrive with less than the margin left are not asked for again before this. */
const SOONEST_MS = 10_000;

const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;

/** A machine that was suspended has slept through its timers; it looks at the time at least this often. */
const LONGEST_SLEEP_MS = 60_000;

export interface InstanceRoleOptions {
  /** The CAM role that is bound to the instance. */
  role: string;
  clock: Clock;
  observer?: CredentialsObserver;
  /** Origin of the metadata service. */
  service?: URL;
}

interface Held {
  readonly credentials: Credentials;
  readonly expireAtMs: number;
}

/**
 * Temporary credentials of the instance's role, from the metadata service. They are renewed five minutes before they
 * expire; while that fails the old ones are used until they really do.
 *
 * One request at a time, because one timer makes them all: callers only ever read what is there.
 *
 * @see https://www.tencentcloud.com/document/product/213/4934
 */
export class InstanceRole implements CredentialsSource {
  readonly #options: InstanceRoleOptions;
  readonly #url: string;
  #held: Held | undefined;
  #failures = 0;
  #dueMs = 0;
  #cancel: (() => void) | undefined;
  #stopped = new AbortController();

  constructor(options: InstanceRoleOptions) {
    this.#options = options;
    this.#url = new URL(PATH + encodeURIComponent(options.role), options.service ?? METADATA_SERVICE).href;
  }

  start(): Promise<void> {
    return this.#renew();
  }

  current(): Credentials {
    const now = this.#options.clock.epochMs();
    if (!this.#held || now >= this.#held.expireAtMs) throw new NoCredentials(Math.max(0, this.#dueMs - now));
    return this.#held.credentials;
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel?.();
  }

  async #renew(): Promise<void> {
    const { clock, observer } = this.#options;
    try {
      const fetched = await this.#fetch();
      if (fetched.expireAtMs <= clock.epochMs())
        throw new Unusable('the metadata service answered with expired ones');
      this.#held = fetched;
      this.#failures = 0;
      this.#dueMs = Math.max(fetched.expireAtMs - MARGIN_MS, clock.epochMs() + SOONEST_MS);
      observer?.loaded(fetched.expireAtMs);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#dueMs = clock.epochMs() + Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
      this.#failures += 1;
      observer?.failed(reasonOf(error));
    }
    this.#sleep();
  }

  #sleep(): void {
    if (this.#stopped.signal.aborted) return;
    const { clock } = this.#options;
    const leftMs = Math.max(0, this.#dueMs - clock.epochMs());
    this.#cancel = clock.wakeIn(Math.min(leftMs, LONGEST_SLEEP_MS), () => {
      if (clock.epochMs() < this.#dueMs) this.#sleep();
      else void this.#renew();
    });
  }

  async #fetch(): Promise<Held> {
    const late = new AbortController();
    const inTime = this.#options.clock.wakeIn(TIMEOUT_MS, () => late.abort());
    try {
      const { status, data } = await axios.get<string>(this.#url, {
        signal: AbortSignal.any([late.signal, this.#stopped.signal]),
        proxy: false,
        maxRedirects: 0,
        maxContentLength: MAX_ANSWER_BYTES,
        responseType: 'text',
        transformResponse: [],
        validateStatus: () => true,
      });
      if (status !== 200) throw new Unusable(`the metadata service answered HTTP ${status}`);
      return read(data);
    } catch (error) {
      if (late.signal.aborted) throw new Unusable('the metadata service did not answer in time');
      throw error;
    } finally {
      inTime();
    }
  }
}

class Unusable extends Error {}

/** An error of axios holds the answer, and so perhaps credentials: nothing of it but its code goes on. */
function reasonOf(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  return `the metadata service cannot be reached (${(isAxiosError(error) && error.code) || 'unknown'})`;
}

function read(text: string): Held {
  const answer = parsed(text);
  const { Code, TmpSecretId: id, TmpSecretKey: key, Token: token, ExpiredTime: expiredTime } = answer;
  if (Code !== 'Success') throw new Unusable('the metadata service did not answer with Success');
  const valid =
    typeof id === 'string' &&
    isSecretId(id) &&
    typeof key === 'string' &&
    isSecret(key) &&
    typeof token === 'string' &&
    isSecret(token) &&
    typeof expiredTime === 'number' &&
    Number.isFinite(expiredTime);
  if (!valid) throw new Unusable('the metadata service did not answer with credentials');
  return { credentials: new Credentials(id, key, token), expireAtMs: expiredTime * 1000 };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
