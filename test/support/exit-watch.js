const LIMIT_MS = 10_000;

/**
 * Runs after all tests. The timer keeps nothing alive, so it fires only when something else does: a server or a
 * process that a test has not closed, such as one that failed before it could.
 */
export default function exitWatch() {
  setTimeout(() => {
    process.stderr.write('Failed: a server, socket or process that a test opened is still open.\n');
    process.exit(1);
  }, LIMIT_MS).unref();
}
