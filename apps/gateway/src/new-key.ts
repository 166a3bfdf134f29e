import { CALLER_NAME_RULE, isCallerName } from './callers/caller-name.js';
import { newKey } from './callers/new-key.js';

/** The exit code of a program that was called wrongly: EX_USAGE of sysexits.h. */
const EX_USAGE = 64;

// npm run new-key -- <name>
const [name, ...rest] = process.argv.slice(2);
if (!isCallerName(name) || rest.length > 0) {
  process.stderr.write(`usage: npm run new-key -- <name>\nThe name must be ${CALLER_NAME_RULE}.\n`);
  process.exit(EX_USAGE);
}
const { key, keySha256 } = newKey();
process.stdout.write(`The key of ${name}. It is shown this once and kept nowhere:

  ${key}

The entry for CALLERS_FILE; add "sdkAppIds": [...] to allow some SdkAppIds alone:

  ${JSON.stringify({ name, keySha256 })}
`);
