const TRACEPARENT =
  /^(?<version>(?!ff)[\da-f]{2})-(?<traceId>(?!0{32})[\da-f]{32})-(?<spanId>(?!0{16})[\da-f]{16})-(?<flags>[\da-f]{2})(?<extension>-.*)?$/;

/** The bit of the flags that says that the parent is recorded. */
const SAMPLED = 1;

/** The span that a request was sent from, and whether its trace is recorded. */
export interface ParentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/**
 * Parses a `traceparent` header. Future versions may append more, after a hyphen.
 *
 * @returns undefined for a missing or invalid header
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(header: string | undefined): ParentSpan | undefined {
  if (header === undefined) return undefined;
  const { version, traceId, spanId, flags, extension } = TRACEPARENT.exec(header)?.groups ?? {};
  if (!traceId || !spanId || (version === '00' && extension !== undefined)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/** Returns the header that {@link parseTraceparent} parses. */
export function formatTraceparent({ traceId, spanId, isSampled }: ParentSpan): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
