import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

// The schema of the Compose Specification, as dclint brings it.
const schema = JSON.parse(
  readFileSync(new URL('schemas/compose.schema.json', import.meta.resolve('dclint/package.json')), 'utf8'),
);
// The schema names its own dialect by an address that ajv does not know.
const validate = new Ajv({ allErrors: true, strict: false, formats: { duration: true } }).compile({
  ...schema,
  $schema: undefined,
});

/** What a compose file has that the Compose Specification does not know. */
export function composeFaults(document) {
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
