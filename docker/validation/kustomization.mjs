import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NAME = 'kustomization.yaml';

export function isKustomization(document) {
  return document?.kind === 'Kustomization';
}

/**
 * Lists files that the kustomization refers to and that do not exist, and files that it does not refer to. It does not
 * build the kustomization: that requires kubectl, which is not an npm package. A test does it where kubectl is installed.
 */
export function validateKustomization(kustomization, file) {
  const folder = dirname(file);
  const listed = [
    ...(kustomization.resources ?? []),
    ...(kustomization.patches ?? []).flatMap(({ path }) => path ?? []),
    ...(kustomization.configMapGenerator ?? []).flatMap(({ envs = [], files = [] }) => [...envs, ...files]),
  ];
  const missing = listed
    .filter((name) => !exists(join(folder, name)))
    .map((name) => ({ path: '', message: `lists ${name}, which does not exist` }));
  const unlisted = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== NAME && !listed.includes(entry.name))
    .map(({ name }) => ({ path: '', message: `does not list ${name}, which is in the same folder` }));
  return [...missing, ...unlisted];
}

function exists(path) {
  return existsSync(path) && (statSync(path).isFile() || existsSync(join(path, NAME)));
}
