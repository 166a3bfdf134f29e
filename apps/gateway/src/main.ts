import { explain } from './start-up/explain.js';
import { refuseOldRuntime } from './start-up/old-runtime.js';

try {
  refuseOldRuntime(process.versions.node);
  // Loaded only now: an older runtime would not get as far as saying what it lacks.
  const { start } = await import('./start-up/start.js');
  await start();
} catch (error) {
  const { message, exitCode } = explain(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
