// Builds all apps and the bundle of the gateway: node build.mjs [--if-stale]
//
// With --if-stale it builds only if a source has changed since the last build. It compares the contents of the sources,
// because a checkout or a copy can give a changed file any modification time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import './link-node.mjs';

const COMPILER = 'node_modules/@nestjs/cli/bin/nest.js';
const DIGEST_FILE = 'dist/sources.sha256';

if (process.argv.includes('--if-stale') && existsSync('dist/gateway/main.js')) {
  // A production installation has a build and no compiler: it runs the build as it is.
  if (!existsSync(COMPILER)) process.exit();
  if (existsSync(DIGEST_FILE) && readFileSync(DIGEST_FILE, 'utf8') === digestOfSources()) process.exit();
  process.stderr.write('The sources have changed since the last build: building.\n');
}
if (!existsSync('node_modules')) fail('Nothing is installed yet: run "npm ci" first.');
if (!existsSync(COMPILER)) fail('The compiler is not installed: run "npm ci" without --omit=dev.');

// Computed first: a file that changes during the build makes the next start build again.
const digest = digestOfSources();
run(COMPILER, 'build');
run('apps/gateway/bundle.mjs');
writeFileSync(DIGEST_FILE, digest);

function digestOfSources() {
  const folders = ['apps', 'bench', 'libs', 'test/support'].filter((folder) => existsSync(folder));
  const sources = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.endsWith('.spec.ts'));
  const settings = [
    'build.mjs',
    'nest-cli.json',
    'package-lock.json',
    'package.json',
    'tsconfig.build.json',
    'tsconfig.json',
  ].filter((path) => existsSync(path));
  const hash = createHash('sha256');
  for (const path of [...settings, ...sources.toSorted()])
    hash.update(`${path}\0${readFileSync(path, 'utf8')}\0`);
  return hash.digest('hex');
}

/** Runs the Node.js of node_modules, which is first in PATH. Output goes to stderr, because stdout belongs to the program that starts after the build. */
function run(...args) {
  const { status } = spawnSync('node', args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
