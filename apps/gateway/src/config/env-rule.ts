import { ValidateBy } from 'class-validator';

/** A rule for one variable. Its message contains the name of the variable, never the value. */
export function EnvRule(
  name: string,
  expectation: string,
  isValid: (value: string) => boolean,
): PropertyDecorator {
  return ValidateBy(
    { name, validator: { validate: isValid } },
    { message: `$property must be ${expectation}` },
  );
}

export const OneOf = (values: readonly string[]) =>
  EnvRule('oneOf', `one of ${values.join(', ')}`, (value) => values.includes(value));

export const Text = (expectation: string, pattern: RegExp) =>
  EnvRule('text', expectation, (value) => pattern.test(value));
