import { ANONYMOUS, UNKNOWN_CALLER } from '../http/caller-identity.js';

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

const RESERVED_NAMES: readonly string[] = [ANONYMOUS.name, UNKNOWN_CALLER];

/** The rule for the name of a caller, which logs and metrics show unchanged. */
export const CALLER_NAME_RULE = `1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit, and not ${RESERVED_NAMES.join(' or ')}`;

export function isCallerName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name) && !RESERVED_NAMES.includes(name);
}
