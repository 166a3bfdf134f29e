/** Settings that can change while the sandbox runs. */
export interface Settings {
  /** Unknown tasks count as running, for load tests. */
  acceptUnknownTasks: boolean;
  /** StopStreamIngest calls accepted in any one-second window. */
  quotaPerSecond: number;
  /** Shifts the sandbox's clock, which the timestamp check and the `Date` header use. */
  clockOffsetSeconds: number;
}
