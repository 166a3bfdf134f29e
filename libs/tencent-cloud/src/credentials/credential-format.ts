// A comma, a slash or a space would end the SecretId in the Authorization header.
const SECRET_ID_PATTERN = /^[!-+\-.0-~]+$/;
const SECRET_PATTERN = /^[!-~]+$/;

/** Describes a valid SecretId, for error messages. */
export const SECRET_ID_FORMAT = 'visible ASCII without blanks, commas and slashes';
/** Describes a valid SecretKey or session token, for error messages. */
export const SECRET_FORMAT = 'visible ASCII without blanks';

/** Returns whether a value can be a SecretId. */
export function isSecretId(text: unknown): text is string {
  return typeof text === 'string' && SECRET_ID_PATTERN.test(text);
}

/** Returns whether a value can be a SecretKey or a session token. */
export function isSecret(text: unknown): text is string {
  return typeof text === 'string' && SECRET_PATTERN.test(text);
}
