const LIMIT_MS = 10_000;

/**
 * Runs after all tests. The timer is unreferenced: it fires only when a server, socket or process that a test has not
 * closed keeps the event loop alive.
 */
export default function exitWatch() {
  setTimeout(() => {
    process.stderr.write('Failed: a server, socket or process that a test opened is still open.\n');
    process.exit(1);
  }, LIMIT_MS).unref();
}
