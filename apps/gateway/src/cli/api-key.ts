import { hash, randomBytes } from 'node:crypto';

/** Lets people and scanners for leaked secrets recognize a key. */
const PREFIX = 'igw_';

/** Generates a key of 256 random bits, and its digest for CALLERS_FILE. */
export function generateApiKey(): { key: string; keySha256: string } {
  const key = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  return { key, keySha256: hash('sha256', key) };
}
