/** The headers of every response. */
export function commonHeaders(requestId: string): {
  'x-request-id': string;
  'x-content-type-options': string;
} {
  // Disable MIME sniffing.
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff' };
}
