import { canonicalHeader } from './canonical-header.js';
import { CONTENT_TYPE, HOST, METHOD, PATH, QUERY, SIGNED_HEADERS } from './constants.js';

/** The lines of a canonical request above the hash of its payload. {@link canonicalHead} makes one. */
export type CanonicalHead = `${typeof METHOD}\n${typeof PATH}\n${typeof QUERY}\n${string}`;

/**
 * Returns the part of the canonical request that is the same for all requests of a client. Compute it once.
 *
 * @param host the Host header exactly as it is sent, including the port if that is sent
 * @param contentType the Content-Type header exactly as it is sent
 * @throws TypeError if a value is malformed. The message never contains the value.
 */
export function canonicalHead(host: string, contentType: string): CanonicalHead {
  const headers = canonicalHeader(CONTENT_TYPE, contentType) + canonicalHeader(HOST, host);
  // Each header ends in its own line feed, so an empty line follows the last one.
  return `${METHOD}\n${PATH}\n${QUERY}\n${headers}\n${SIGNED_HEADERS}\n`;
}
