/** The cloud says no. Its `code` is what a client decides by; the message is for people. */
export class ApiError extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
