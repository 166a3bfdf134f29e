import { hash, randomBytes } from 'node:crypto';

/** Tells scanners for leaked secrets, and people, what they have found. */
const PREFIX = 'igw_';

/** A fresh key of 256 random bits, and what CALLERS_FILE needs to know of it. */
export function newKey(): { key: string; keySha256: string } {
  const key = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  return { key, keySha256: hash('sha256', key) };
}
