/** What may change while the sandbox runs. */
export interface Settings {
  /** A task never heard of counts as running, for load tests. */
  acceptUnknownTasks: boolean;
  /** StopStreamIngest calls that may arrive in any one second. */
  quotaPerSecond: number;
  /** Shifts the sandbox's own clock: the tolerance check and the `Date` header. */
  clockOffsetSeconds: number;
}
