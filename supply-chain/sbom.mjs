// Prints a CycloneDX bill of materials of the production dependencies: npm run --silent sbom > bom.json
//
// `npm sbom --omit dev` also omits production dependencies that a development dependency needs (npm 10 and 11: rxjs,
// debug and 33 more of this lockfile). So this script removes the packages that the lockfile marks as development only,
// and the optional packages: they are the Node.js for npm scripts, and the image has its own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const bom = JSON.parse(
  execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
);

const productionPackages = new Set(
  Object.entries(packages)
    .filter(([path, { dev, devOptional, optional }]) => path && !dev && !devOptional && !optional)
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`),
);
const components = bom.components
  // npm names an alias (`overrides`) by its folder, and the package itself only in `purl`.
  .map((component) => ({ ...component, name: nameInPurl(component.purl) }))
  .filter(({ name, version }) => productionPackages.has(`${name}@${version}`));
const keptRefs = new Set([bom.metadata.component, ...components].map((component) => component['bom-ref']));
const dependencies = bom.dependencies
  .filter(({ ref }) => keptRefs.has(ref))
  .map(({ ref, dependsOn = [] }) => ({
    ref,
    dependsOn: dependsOn.filter((dependency) => keptRefs.has(dependency)),
  }));

process.stdout.write(`${JSON.stringify({ ...bom, components, dependencies }, null, 2)}\n`);

function nameInPurl(purl) {
  return decodeURIComponent(purl.slice('pkg:npm/'.length, purl.lastIndexOf('@')));
}
