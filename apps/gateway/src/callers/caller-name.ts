import { ANONYMOUS, UNKNOWN } from './caller.js';

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

const RESERVED: readonly string[] = [ANONYMOUS.name, UNKNOWN];

/** What a caller's name must be: it stands in logs and metrics as it is. */
export const CALLER_NAME_RULE = `1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit, and not ${RESERVED.join(' or ')}`;

export function isCallerName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name) && !RESERVED.includes(name);
}
