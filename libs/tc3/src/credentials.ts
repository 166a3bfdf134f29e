/** An API key, permanent or temporary. The session token of a temporary key is sent, but not signed. */
export interface Credentials {
  readonly secretId: string;
  readonly secretKey: string;
}
