/** Permission for one attempt, given back in one of these ways; whatever comes after the first is ignored. */
export interface Permit {
  /** An answer arrived, or the attempt ended for certain. */
  answered(): void;
  /** Given up without an answer: the request may yet arrive. */
  lost(): void;
  /** Nothing was sent. */
  unused(): void;
}
