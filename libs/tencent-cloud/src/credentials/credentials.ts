import type { Credentials as SigningCredentials } from '#libs/tc3';

const REDACTED = '[redacted]';

/**
 * A pair of API keys, with the session token of a temporary pair. It shows `[redacted]` to string conversion,
 * JSON and `util.inspect`: what is never shown by accident need not be filtered out of logs.
 */
export class Credentials implements SigningCredentials {
  readonly #secretId: string;
  readonly #secretKey: string;
  readonly #token: string | undefined;

  constructor(secretId: string, secretKey: string, token?: string) {
    this.#secretId = secretId;
    this.#secretKey = secretKey;
    this.#token = token;
  }

  get secretId(): string {
    return this.#secretId;
  }

  get secretKey(): string {
    return this.#secretKey;
  }

  get token(): string | undefined {
    return this.#token;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
