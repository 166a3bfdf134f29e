import { authorization, SigningKeys } from '#libs/tc3';
import type { Action } from './action.js';
import type { Credentials } from './credentials/credentials.js';
import type { Message } from './transport.js';

const CONTENT_TYPE = 'application/json';

/** Writes calls as signed POSTs. */
export class SignedPosts {
  readonly #host: string;
  readonly #signingKeys = new SigningKeys();

  constructor(endpoint: URL) {
    this.#host = endpoint.host;
  }

  /**
   * @param at whole UNIX seconds: the time that the signature carries
   * @throws TypeError when the credentials cannot be signed with
   */
  write<P>(action: Action<P>, parameters: P, region: string, credentials: Credentials, at: number): Message {
    const body = JSON.stringify(action.write(parameters));
    const signed = { host: this.#host, contentType: CONTENT_TYPE, payload: body, service: action.service };
    const headers = {
      Host: this.#host,
      'Content-Type': CONTENT_TYPE,
      Accept: CONTENT_TYPE,
      'Accept-Encoding': 'identity',
      'User-Agent': 'ingest-gateway',
      'X-TC-Action': action.name,
      'X-TC-Version': action.version,
      'X-TC-Region': region,
      'X-TC-Timestamp': String(at),
      Authorization: authorization(signed, credentials, at, this.#signingKeys),
      ...(credentials.token !== undefined && { 'X-TC-Token': credentials.token }),
    };
    return { headers, body };
  }
}
