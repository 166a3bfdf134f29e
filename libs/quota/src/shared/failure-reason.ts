import { CLOSED } from './slot-store.js';

/** Errors of the server that have no name of their own, or one that says too little. */
const SERVER_ERRORS: readonly (readonly [RegExp, reason: string])[] = [
  [/max number of clients/, 'max-clients'],
  [/^DENIED /, 'protected-mode'],
  [/DB index|SELECT is not allowed/, 'no-such-database'],
  [/cluster support disabled/, 'not-a-cluster'],
  [/ACL failure in script/, 'NOPERM'],
  [/^(Command timed out|Socket timeout)/, 'timeout'],
];

/**
 * Returns why Redis is unavailable: a fixed word, the code of a system or TLS error, or the name of an error of the
 * server. Never its text, which may contain addresses.
 */
export function failureReason(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code) return code;
  const known = SERVER_ERRORS.find(([pattern]) => pattern.test(message));
  if (known) return known[1];
  // Redis 6 reports the error of a command in a script as: ERR Error running script …: -READONLY You can't write …
  return /^(?!ERR )[A-Z]{3,}(?= )|(?<=^ERR .*-)[A-Z]{3,}(?= )/.exec(message)?.[0] ?? CLOSED;
}
