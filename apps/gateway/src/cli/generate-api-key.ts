import { CALLER_NAME_RULE, isCallerName } from '../config/caller-name.js';
import { generateApiKey } from './api-key.js';

/** The exit code of a program with invalid arguments: EX_USAGE of sysexits.h. */
const EX_USAGE = 64;

// npm run generate-api-key -- <name>
const [name, ...rest] = process.argv.slice(2);
if (!isCallerName(name) || rest.length > 0) {
  process.stderr.write(`usage: npm run generate-api-key -- <name>\nThe name must be ${CALLER_NAME_RULE}.\n`);
  process.exit(EX_USAGE);
}
const { key, keySha256 } = generateApiKey();
process.stdout.write(`The key of ${name}. It is shown only once and stored nowhere:

  ${key}

The entry for CALLERS_FILE; add "sdkAppIds": [...] to allow only some SdkAppIds:

  ${JSON.stringify({ name, keySha256 })}
`);
