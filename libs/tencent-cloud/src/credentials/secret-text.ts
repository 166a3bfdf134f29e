// It stands in the Authorization header, where a comma, a slash or a blank would end it.
const SECRET_ID = /^[!-+\-.0-~]+$/;
const SECRET = /^[!-~]+$/;

/** What a SecretId must be, in words. */
export const SECRET_ID_RULE = 'visible ASCII without blanks, commas and slashes';
/** What a SecretKey and a session token must be, in words. */
export const SECRET_RULE = 'visible ASCII without blanks';

export function isSecretId(text: string): boolean {
  return SECRET_ID.test(text);
}

export function isSecret(text: string): boolean {
  return SECRET.test(text);
}
