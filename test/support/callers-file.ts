import { hash } from 'node:crypto';

/** Returns the entry of CALLERS_FILE for a key. */
export function callerEntry(name: string, key: string, sdkAppIds?: number[]): Record<string, unknown> {
  return { name, keySha256: hash('sha256', key), ...(sdkAppIds && { sdkAppIds }) };
}

export function bearerHeader(key: string): { authorization: string } {
  return { authorization: `Bearer ${key}` };
}
