import { isSecret, isSecretId } from '#libs/tc3';
import { Credentials } from './credentials.js';
import { InvalidCredentialsError } from './credentials-provider.js';
import type { IssuedCredentials } from './temporary-credentials-provider.js';

/** 9999-12-31T23:59:59Z. */
const MAX_EXPIRY_SECONDS = 253_402_300_799;

/**
 * Validates the members that all issuers of temporary credentials return.
 *
 * @param issuer names the issuer in messages
 * @param expiredTime UNIX seconds
 * @throws InvalidCredentialsError, whose message contains none of the values
 */
export function parseIssuedCredentials(
  issuer: string,
  { TmpSecretId, TmpSecretKey, Token }: Record<string, unknown>,
  expiredTime: unknown,
  date: string | undefined,
): IssuedCredentials {
  const isTime = typeof expiredTime === 'number' && expiredTime > 0 && expiredTime <= MAX_EXPIRY_SECONDS;
  if (!isSecretId(TmpSecretId) || !isSecret(TmpSecretKey) || !isSecret(Token) || !isTime)
    throw new InvalidCredentialsError(`${issuer} did not return credentials`);
  const credentials = new Credentials(TmpSecretId, TmpSecretKey, Token);
  return { credentials, expiresAtMs: expiredTime * 1000, date };
}
