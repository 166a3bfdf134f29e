/** What one connection, and all of them together, may take. Durations are milliseconds. */
export interface ConnectionLimits {
  /** Connections open at once. */
  readonly connections: number;
  /** Bytes of a request's head. */
  readonly headBytes: number;
  /** From the start of a request, or of the connection, to the end of its head. */
  readonly headMs: number;
  /** To the end of its body. */
  readonly requestMs: number;
  /** How often those two are looked at. */
  readonly lookEveryMs: number;
  /** Between two requests. Longer than load balancers keep theirs, so that they are the ones to close. */
  readonly idleMs: number;
  /** Without a byte in either direction: who does not read the answer does not keep it. Longer than any call. */
  readonly stalledMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  connections: 8192,
  headBytes: 16 * 1024,
  headMs: 10_000,
  requestMs: 15_000,
  lookEveryMs: 2000,
  idleMs: 72_000,
  stalledMs: 120_000,
};
