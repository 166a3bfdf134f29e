import type { IncomingMessage } from 'node:http';
import type { ValidationError } from './route-config.js';

const ambiguity = (name: string, message: string): ValidationError => ({
  in: name === '' ? 'request' : 'header',
  name,
  message,
});

const VERSION = ambiguity('', 'must be HTTP/1.1 or HTTP/1.0');
const HOST = ambiguity('host', 'must be given once, as one host with an optional port');
const AUTHORIZATION = ambiguity('authorization', 'must be given at most once');
const CODING = ambiguity('transfer-encoding', 'must be chunked, and only with HTTP/1.1');

/** A host of RFC 3986 without a comma, which separates list elements in other headers. */
const HOST_AND_PORT = /^(\[[\da-f:.]+\]|[\w.~%!$&'()*+;=-]*)(:\d*)?$/i;

/**
 * Returns what two recipients of a request could read differently; undefined if there is nothing. Node.js accepts these
 * requests. Several blanks in the request line are not visible here: Node.js reads them as one, as the RFC allows.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function findAmbiguity({
  httpVersion,
  headers,
  rawHeaders,
  url = '',
}: IncomingMessage): ValidationError | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return VERSION;
  let hosts = 0;
  let authorizations = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
  }
  // HTTP/1.0 may leave it out.
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return HOST;
  const { host = '', 'transfer-encoding': coding } = headers;
  if (!HOST_AND_PORT.test(host) || (!url.startsWith('/') && !isHostOf(url, host))) return HOST;
  if (authorizations > 1) return AUTHORIZATION;
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) return CODING;
  return undefined;
}

/** Whether an absolute target names this host. Other targets are not URLs, and the router rejects them. */
function isHostOf(target: string, host: string): boolean {
  if (!URL.canParse(target) || !URL.canParse(`http://${host}`)) return true;
  return new URL(target).host === new URL(`http://${host}`).host;
}
