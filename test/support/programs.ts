import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A program that tests run, and its installation. */
export interface Program {
  readonly name: string;
  /** The Debian packages that contain it. */
  readonly packages: readonly string[];
  /** One sentence for other systems. */
  readonly installHint: string;
}

/**
 * Returns the path of a program. On Debian and Ubuntu, root installs a program that is missing.
 *
 * @throws Error that names the packages when the program is missing and cannot be installed
 */
export function resolveProgram({ name, packages, installHint }: Program): string {
  const found = findOnPath(name);
  if (found) return found;
  if (existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    install(name, packages);
    const installed = findOnPath(name);
    if (installed) return installed;
  }
  throw new Error(
    `${name} is not on PATH. Debian, Ubuntu: apt-get install ${packages.join(' ')}. ${installHint}`,
  );
}

function findOnPath(name: string): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** Debian packages run this file to decide whether they may start their service. */
const POLICY_RC_FILE = '/usr/sbin/policy-rc.d';

/** Installs packages. A lock lets one process install at a time; the others then find the program. */
function install(name: string, packages: readonly string[]): void {
  const notice = `Installing Debian packages with apt-get: ${packages.join(', ')}. Reason: ${name} is needed and not on PATH.`;
  const lock = join(tmpdir(), 'ingest-gateway-install.lock');
  // The package must not start its service, because tests start their own.
  const script =
    `[ -e ${POLICY_RC_FILE} ] || { printf '#!/bin/sh\nexit 101\n' > ${POLICY_RC_FILE}; chmod +x ${POLICY_RC_FILE}; trap 'rm ${POLICY_RC_FILE}' EXIT; }; ` +
    `command -v ${name} || { echo '${notice}' >&2; apt-get update -qq && DEBIAN_FRONTEND=noninteractive ` +
    `apt-get install -y -qq --no-install-recommends ${packages.join(' ')}; }`;
  execFileSync('flock', [lock, 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'inherit'] });
}
