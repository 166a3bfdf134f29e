import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NAME = 'kustomization.yaml';

export function isKustomization(document) {
  return document?.kind === 'Kustomization';
}

/**
 * Whether a kustomization lists the files that there are, and no other. What it builds is for `kubectl kustomize`
 * to say, which no npm package brings: a test does that where there is kubectl.
 */
export function kustomizationFaults(kustomization, file) {
  const folder = dirname(file);
  const listed = [
    ...(kustomization.resources ?? []),
    ...(kustomization.patches ?? []).flatMap(({ path }) => path ?? []),
    ...(kustomization.configMapGenerator ?? []).flatMap(({ envs = [], files = [] }) => [...envs, ...files]),
  ];
  const missing = listed
    .filter((name) => !exists(join(folder, name)))
    .map((name) => ({ path: '', message: `lists ${name}, which is not there` }));
  const forgotten = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== NAME && !listed.includes(entry.name))
    .map(({ name }) => ({ path: '', message: `does not list ${name}, which lies beside it` }));
  return [...missing, ...forgotten];
}

function exists(path) {
  return existsSync(path) && (statSync(path).isFile() || existsSync(join(path, NAME)));
}
