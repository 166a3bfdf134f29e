const OLDEST = 24;

/** This Node.js lacks what the gateway is written with. */
export class OldRuntime extends Error {
  override readonly name = 'OldRuntime';
}

/**
 * @param version such as `24.1.0`
 * @throws OldRuntime
 */
export function refuseOldRuntime(version: string): void {
  if (Number.parseInt(version, 10) >= OLDEST) return;
  throw new OldRuntime(
    `this is Node.js ${version}, and the gateway needs ${OLDEST} or later: start it with "npm start", which uses the one ` +
      'that "npm ci" installed, or install a newer one',
  );
}
