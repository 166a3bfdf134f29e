/** The exit code for a configuration error: EX_CONFIG of sysexits.h. */
export const EX_CONFIG = 78;

/** The gateway cannot start with this environment. */
export class InvalidConfigurationError extends Error {
  override readonly name = 'InvalidConfigurationError';

  /** @param errors one sentence per error, with the names of variables but never their values */
  constructor(readonly errors: readonly string[]) {
    super(`The configuration has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}:
${errors.map((error) => `  - ${error}\n`).join('')}See the section "Configuration" of the README.`);
  }
}
