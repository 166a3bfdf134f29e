/** What nginx logs for a caller that hung up; nobody receives it. */
export const CLIENT_CLOSED_REQUEST = 499;

/** The caller has hung up before anything was sent: the call is withdrawn, and there is nobody to answer. */
export class CallerLeft extends Error {
  override readonly name = 'CallerLeft';
}

/** One for all, because every answer ends with it: nobody asks where it was made. */
export const CALLER_LEFT = new CallerLeft();
