const TRACEPARENT =
  /^(?<version>(?!ff)[\da-f]{2})-(?<traceId>(?!0{32})[\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?<more>-.*)?$/;

/**
 * The trace that a request belongs to, as its `traceparent` header says; undefined when it says nothing valid.
 * Versions to come may say more, after a hyphen.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceIdOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const { version, traceId, more } = TRACEPARENT.exec(header)?.groups ?? {};
  return version === '00' && more !== undefined ? undefined : traceId;
}
