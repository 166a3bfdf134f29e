/** The caller has hung up before anything was sent: the call is withdrawn, and there is nobody to answer. */
export class CallerLeft extends Error {
  override readonly name = 'CallerLeft';
}
