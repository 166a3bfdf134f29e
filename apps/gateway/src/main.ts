import { describeStartupError } from './bootstrap/startup-errors.js';

const MIN_NODE_MAJOR = 24;

try {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < MIN_NODE_MAJOR)
    throw new Error(
      `this is Node.js ${node}, and the gateway needs ${MIN_NODE_MAJOR} or later: start it with "npm start", which ` +
        'uses the version that "npm ci" installed, or install a newer one',
    );
  // Loaded only now: an older Node.js would fail before it could say what is missing.
  const { start } = await import('./bootstrap/start.js');
  await start();
} catch (error) {
  const { message, exitCode } = describeStartupError(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
