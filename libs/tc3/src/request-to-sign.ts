/** What of a POST to a Tencent Cloud API goes into its signature. */
export interface RequestToSign {
  /** The Host header exactly as it will be sent, with its port if that is sent. */
  readonly host: string;
  /** The Content-Type header exactly as it will be sent. */
  readonly contentType: string;
  /** The body: the bytes to be sent, or text that will be sent as UTF-8. */
  readonly payload: string | Uint8Array;
  /** The product's name in the credential scope: `trtc`. */
  readonly service: string;
  /** The X-TC-Action header, if it is to be signed as well. The official SDKs leave it out; both are accepted. */
  readonly action?: string;
}
