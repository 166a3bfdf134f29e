// Reduces package.json to the given dependencies, so that `npm prune` removes the others: node keep-only.mjs <name>…
import { readFileSync, writeFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const all = { ...manifest.devDependencies, ...manifest.dependencies };
const dependencies = Object.fromEntries(
  process.argv.slice(2).map((name) => {
    if (!all[name]) throw new Error(`package.json does not depend on ${name}`);
    return [name, all[name]];
  }),
);
delete manifest.devDependencies;
delete manifest.optionalDependencies;
writeFileSync('package.json', JSON.stringify({ ...manifest, dependencies }, null, 2));
