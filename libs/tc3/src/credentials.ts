/** A pair of API keys, permanent or temporary. The session token of a temporary pair is sent, but not signed. */
export interface Credentials {
  readonly secretId: string;
  readonly secretKey: string;
}
