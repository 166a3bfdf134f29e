// A comma, a slash or a space would end the SecretId in the Authorization header.
const SECRET_ID_PATTERN = /^[!-+\-.0-~]+$/;
// A key read from a file often ends in a line feed. Signed with it, a request is rejected without a hint at the cause.
const SECRET_PATTERN = /^[!-~]+$/;

/** An API key, permanent or temporary. The session token of a temporary key is sent, but not signed. */
export interface Credentials {
  readonly secretId: string;
  readonly secretKey: string;
}

/** Returns whether a value can be a SecretId: visible ASCII without blanks, commas and slashes. */
export function isSecretId(value: unknown): value is string {
  return typeof value === 'string' && SECRET_ID_PATTERN.test(value);
}

/** Returns whether a value can be a SecretKey or a session token: visible ASCII without blanks. */
export function isSecret(value: unknown): value is string {
  return typeof value === 'string' && SECRET_PATTERN.test(value);
}
