/** The source of the credentials responded, but not with usable credentials. The message contains none of its content. */
export class InvalidCredentialsError extends Error {
  override readonly name = 'InvalidCredentialsError';
}
