// It stands in the Authorization header, where a comma, a slash or a blank would end it.
const SECRET_ID_PATTERN = /^[!-+\-.0-~]+$/;
const SECRET_PATTERN = /^[!-~]+$/;

/** What a SecretId must be, in words. */
export const SECRET_ID_FORMAT = 'visible ASCII without blanks, commas and slashes';
/** What a SecretKey and a session token must be, in words. */
export const SECRET_FORMAT = 'visible ASCII without blanks';

export function isSecretId(text: string): boolean {
  return SECRET_ID_PATTERN.test(text);
}

export function isSecret(text: string): boolean {
  return SECRET_PATTERN.test(text);
}
