import { ValidateBy } from 'class-validator';

/** A rule for one variable; its message names the variable and never shows the value. */
export function rule(name: string, must: string, validate: (value: string) => boolean): PropertyDecorator {
  return ValidateBy(
    { name, validator: { validate: (value: unknown) => typeof value === 'string' && validate(value) } },
    {
      message: ({ value, property }) =>
        value === undefined ? `${property} is missing` : `${property} must be ${must}`,
    },
  );
}

export const OneOf = (values: readonly string[]) =>
  rule('oneOf', `one of ${values.join(', ')}`, (value) => values.includes(value));

export const Text = (must: string, pattern: RegExp) => rule('text', must, (value) => pattern.test(value));
