/** The exit code of a program that was configured wrongly: EX_CONFIG of sysexits.h. */
export const EX_CONFIG = 78;

/** The environment is not one the gateway can start with. */
export class InvalidConfiguration extends Error {
  override readonly name = 'InvalidConfiguration';

  /** @param faults one sentence each; they name variables and never show values */
  constructor(readonly faults: readonly string[]) {
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:
${faults.map((fault) => `  - ${fault}\n`).join('')}See the section "Configuration" of the README.`);
  }
}
