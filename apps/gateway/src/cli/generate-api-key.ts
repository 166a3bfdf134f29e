import { hash, randomBytes } from 'node:crypto';
import { CALLER_NAME_RULE, isCallerName } from '../config/callers-file.js';

/** Lets people and scanners for leaked secrets recognize a key. */
const PREFIX = 'igw_';

/** The exit code of a program with invalid arguments: EX_USAGE of sysexits.h. */
const EX_USAGE = 64;

// npm run generate-api-key -- <name>
const [name, ...rest] = process.argv.slice(2);
if (!isCallerName(name) || rest.length > 0) {
  process.stderr.write(`usage: npm run generate-api-key -- <name>\nThe name must be ${CALLER_NAME_RULE}.\n`);
  process.exit(EX_USAGE);
}
const key = `${PREFIX}${randomBytes(32).toString('base64url')}`;
const keySha256 = hash('sha256', key);
process.stdout.write(`The key of ${name}. It is shown only once and stored nowhere:

  ${key}

The entry for CALLERS_FILE; add "sdkAppIds": [...] to allow only some SdkAppIds:

  ${JSON.stringify({ name, keySha256 })}
`);
