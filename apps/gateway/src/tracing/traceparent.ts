const TRACEPARENT =
  /^(?<version>(?!ff)[\da-f]{2})-(?<traceId>(?!0{32})[\da-f]{32})-(?<spanId>(?!0{16})[\da-f]{16})-(?<flags>[\da-f]{2})(?<more>-.*)?$/;

/** The bit of the flags that says that the parent is recorded. */
const SAMPLED = 1;

/** The span that a request was sent from. */
export interface RemoteParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the trace is recorded. */
  readonly sampled: boolean;
}

/**
 * The span that a request was sent from, as its `traceparent` header says; undefined when it says nothing valid.
 * Versions to come may say more, after a hyphen.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parentOf(header: string | undefined): RemoteParent | undefined {
  if (header === undefined) return undefined;
  const { version, traceId, spanId, flags, more } = TRACEPARENT.exec(header)?.groups ?? {};
  if (!traceId || !spanId || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/** The trace that a request belongs to. */
export function traceIdOf(header: string | undefined): string | undefined {
  return parentOf(header)?.traceId;
}
