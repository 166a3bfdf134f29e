/** An action of the API, and its parameters. It must be idempotent. */
export interface Action {
  readonly name: string;
  /** The API version, a date such as `2019-07-22`. */
  readonly version: string;
  /** The product in the credential scope, such as `trtc`. */
  readonly service: string;
  /** The error code of a call without effect because its goal was reached before. It counts as success. */
  readonly alreadyDoneCode: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}
