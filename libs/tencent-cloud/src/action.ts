/** One action of the API: its names on the wire and how its parameters are written. It must be safe to repeat. */
export interface Action<Parameters> {
  readonly name: string;
  /** The version of the API, a date. */
  readonly version: string;
  /** The product's name in the credential scope. */
  readonly service: string;
  /** The error code that says: what the call asks for holds already. */
  readonly alreadyDoneCode: string;
  serialize(parameters: Parameters): Record<string, unknown>;
}
