import type { FaultRule } from '../../apps/sandbox/src/faults.js';

/** Ten rules in a row, each striking what the ones before have spared: together they strike half of all attempts. */
const EACH = 1 - 0.5 ** (1 / 10);

const rule = (fault: FaultRule['fault'], effect: FaultRule['effect'] = 'before'): FaultRule => ({
  fault,
  effect,
  times: 'always',
  probability: EACH,
});

/** What a bad day looks like. None of them lies: an answer that claims what did not happen is not among them. */
export const MIXED_FAULTS: readonly FaultRule[] = [
  // Rare: each one halves the slots for a while, as somebody else on the account would.
  { fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 'always', probability: 0.002 },
  rule({ kind: 'error', code: 'InternalError' }),
  rule({ kind: 'error', code: 'InternalError' }, 'after'),
  rule({ kind: 'error', code: 'ServiceUnavailable' }),
  rule({ kind: 'error', code: 'AuthFailure.SignatureFailure' }),
  rule({ kind: 'reset', at: 'before-headers' }),
  rule({ kind: 'reset', at: 'in-body' }, 'after'),
  rule({ kind: 'close', at: 'in-headers' }, 'after'),
  rule({ kind: 'status', status: 502 }, 'after'),
  rule({ kind: 'short-body' }),
  rule({ kind: 'no-response' }, 'after'),
];
