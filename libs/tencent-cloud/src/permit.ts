/**
 * How an attempt ended:
 * - `completed`: the response arrived, or the attempt ended for certain.
 * - `throttled`: the response arrived and rejects the attempt as one too many (`RequestLimitExceeded`).
 * - `abandoned`: no response arrived, and the request may still arrive.
 * - `unused`: nothing was sent.
 */
export type ReleaseReason = 'completed' | 'abandoned' | 'unused' | 'throttled';

/** Permission for one attempt, such as a slot of a quota. */
export interface Permit {
  /** Called at least once for every permit. The first release counts, later ones are ignored. */
  release(reason: ReleaseReason): void;
}
