import { assertNodeVersion } from './bootstrap/node-version.js';
import { describeStartupError } from './bootstrap/startup-errors.js';

try {
  assertNodeVersion(process.versions.node);
  // Loaded only now: an older Node.js would fail before it could say what is missing.
  const { start } = await import('./bootstrap/start.js');
  await start();
} catch (error) {
  const { message, exitCode } = describeStartupError(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
