const MIN_NODE_MAJOR = 24;

/** The version of Node.js is too old for the gateway. */
export class UnsupportedNodeVersionError extends Error {
  override readonly name = 'UnsupportedNodeVersionError';
}

/**
 * @param version such as `24.1.0`
 * @throws UnsupportedNodeVersionError
 */
export function assertNodeVersion(version: string): void {
  if (Number.parseInt(version, 10) >= MIN_NODE_MAJOR) return;
  throw new UnsupportedNodeVersionError(
    `this is Node.js ${version}, and the gateway needs ${MIN_NODE_MAJOR} or later: start it with "npm start", which ` +
      'uses the version that "npm ci" installed, or install a newer one',
  );
}
