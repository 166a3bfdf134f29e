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

/** Returns undefined for a text that is not a URL, or whose port is 0, to which nothing can connect. */
export function parseUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.port === '0' ? undefined : url;
}

export const OneOf = (values: readonly string[]) =>
  EnvRule('oneOf', `one of ${values.join(', ')}`, (value) => values.includes(value));

export const Text = (expectation: string, pattern: RegExp) =>
  EnvRule('text', expectation, (value) => pattern.test(value));
