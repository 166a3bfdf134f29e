import type { Credentials as SigningCredentials } from '#libs/tc3';

/** Describes a valid SecretId, for error messages. */
export const SECRET_ID_FORMAT = 'visible ASCII without blanks, commas and slashes';
/** Describes a valid SecretKey or session token, for error messages. */
export const SECRET_FORMAT = 'visible ASCII without blanks';

const REDACTED = '[redacted]';

/**
 * An API key: SecretId and SecretKey, and the session token of a temporary key. String conversion, JSON and
 * `util.inspect` return `[redacted]`, so a log entry or an error never contains a secret by accident.
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

  equals(other: Credentials): boolean {
    return (
      this.#secretId === other.secretId && this.#secretKey === other.secretKey && this.#token === other.token
    );
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
