import type { CanonicalHead } from './canonical-head.js';

/** The signed parts of a POST to a Tencent Cloud API. */
export interface SignableRequest {
  /** The signed headers, from {@link canonicalHead}. */
  readonly head: CanonicalHead;
  /** The body: the bytes as they are sent, or text that is sent as UTF-8. */
  readonly payload: string | Uint8Array;
  /** The product in the credential scope: `trtc`. */
  readonly service: string;
}
