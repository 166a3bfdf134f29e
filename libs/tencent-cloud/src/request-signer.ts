import { canonicalHead, type CanonicalHead, SigningKeyCache, signRequest } from '#libs/tc3';
import type { Action } from './action.js';
import type { Credentials } from './credentials/credentials.js';
import type { SignedRequest } from './transport.js';

const CONTENT_TYPE = 'application/json';

/** Creates the signed requests of one client. */
export class RequestSigner {
  readonly #fixedHeaders: readonly string[];
  readonly #head: CanonicalHead;
  readonly #signingKeys = new SigningKeyCache();

  constructor(endpoint: URL) {
    this.#fixedHeaders = [
      'Host',
      endpoint.host,
      'Content-Type',
      CONTENT_TYPE,
      'Accept',
      CONTENT_TYPE,
      'Accept-Encoding',
      'identity',
      'User-Agent',
      'ingest-gateway',
    ];
    this.#head = canonicalHead(endpoint.host, CONTENT_TYPE);
  }

  /**
   * @param timestamp whole UNIX seconds
   * @throws TypeError if the credentials are malformed
   */
  sign(action: Action, region: string, credentials: Credentials, timestamp: number): SignedRequest {
    const body = JSON.stringify(action.parameters);
    const { secretId, token } = credentials;
    const signable = { head: this.#head, payload: body, service: action.service };
    const authorization = signRequest(signable, credentials, timestamp, this.#signingKeys);
    const headers = [
      ...this.#fixedHeaders,
      'X-TC-Action',
      action.name,
      'X-TC-Version',
      action.version,
      'X-TC-Region',
      region,
      'X-TC-Timestamp',
      String(timestamp),
      'Authorization',
      authorization,
      'Content-Length',
      String(Buffer.byteLength(body)),
    ];
    if (token !== undefined) headers.push('X-TC-Token', token);
    const signature = authorization.slice(authorization.lastIndexOf('=') + 1);
    return { headers, body, secrets: [secretId, signature, token ?? ''] };
  }
}
