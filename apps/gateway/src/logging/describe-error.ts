/** Returns the type, message and stack of an error. Its other properties may contain a request with all its headers. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  return { type: error.name, error: error.message, stack: error.stack };
}
