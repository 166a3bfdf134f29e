import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

// The schema of the Compose Specification, from the package dclint.
const schema = JSON.parse(
  readFileSync(new URL('schemas/compose.schema.json', import.meta.resolve('dclint/package.json')), 'utf8'),
);
// ajv does not know the URL of the schema's dialect.
const validate = new Ajv({ allErrors: true, strict: false, formats: { duration: true } }).compile({
  ...schema,
  $schema: undefined,
});

/** Lists the errors of a compose file by the Compose Specification. */
export function validateCompose(document) {
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const unknown = params.additionalProperty;
    return unknown === undefined
      ? {
          path: instancePath,
          message: [message, params.allowedValues?.join(', ')].filter(Boolean).join(': '),
        }
      : { path: `${instancePath}/${unknown}`, message: 'is not a field of it' };
  });
}
