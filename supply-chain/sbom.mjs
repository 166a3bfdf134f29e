// Prints what production runs as a CycloneDX bill of materials: npm run --silent sbom > bom.json
//
// `npm sbom --omit dev` leaves out whatever a development dependency needs as well (npm 10 and 11: rxjs, debug and
// 33 more of this lock), so the whole list is made, and what the lock marks as needed for development alone removed.
// The optional packages are removed too: they are the Node.js of npm's scripts, and the image brings its own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const whole = JSON.parse(
  execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
);

const inProduction = new Set(
  Object.entries(packages)
    .filter(([path, { dev, devOptional, optional }]) => path && !dev && !devOptional && !optional)
    .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`),
);
const components = whole.components.filter(({ name, version }) => inProduction.has(`${name}@${version}`));
const kept = new Set([whole.metadata.component, ...components].map((component) => component['bom-ref']));
const dependencies = whole.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));

process.stdout.write(`${JSON.stringify({ ...whole, components, dependencies }, null, 2)}\n`);
