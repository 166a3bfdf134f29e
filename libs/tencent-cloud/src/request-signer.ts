import { canonicalHead, type CanonicalHead, SigningKeyCache, signRequest } from '#libs/tc3';
import type { Action } from './action.js';
import type { Credentials } from './credentials/credentials.js';
import type { SignedRequest } from './transport.js';

const CONTENT_TYPE = 'application/json';

/** Creates the signed requests of one client. */
export class RequestSigner {
  readonly #host: string;
  readonly #head: CanonicalHead;
  readonly #signingKeys = new SigningKeyCache();

  constructor(endpoint: URL) {
    this.#host = endpoint.host;
    this.#head = canonicalHead(endpoint.host, CONTENT_TYPE);
  }

  /**
   * @param timestamp whole UNIX seconds
   * @throws TypeError if the credentials are malformed
   */
  sign(action: Action, region: string, credentials: Credentials, timestamp: number): SignedRequest {
    const body = JSON.stringify(action.parameters);
    const signable = { head: this.#head, payload: body, service: action.service };
    const headers = {
      Host: this.#host,
      'Content-Type': CONTENT_TYPE,
      Accept: CONTENT_TYPE,
      'Accept-Encoding': 'identity',
      'User-Agent': 'ingest-gateway',
      'X-TC-Action': action.name,
      'X-TC-Version': action.version,
      'X-TC-Region': region,
      'X-TC-Timestamp': String(timestamp),
      Authorization: signRequest(signable, credentials, timestamp, this.#signingKeys),
      ...(credentials.token !== undefined && { 'X-TC-Token': credentials.token }),
    };
    return { headers, body };
  }
}
