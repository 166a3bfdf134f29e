import type { IncomingMessage } from 'node:http';

/**
 * Whether a request names its host as HTTP demands it: once, except in HTTP/1.0.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function namesItsHost({ httpVersion, rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (isHost(rawHeaders[at]!)) hosts += 1;
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}

function isHost(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === 'host';
}
