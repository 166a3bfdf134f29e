// Holds the compose file and the Kubernetes manifests against their schemas; a field unknown there is a fault.
//
//   node docker/validate.mjs            compose.yaml and everything under kubernetes/
//   node docker/validate.mjs <file>…    these
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { composeFaults } from './validation/compose.mjs';
import { isKustomization, kustomizationFaults } from './validation/kustomization.mjs';
import { resourceFaults } from './validation/resource.mjs';
import { readDocuments } from './validation/yaml-documents.mjs';

const given = process.argv.slice(2);
const files = given.length > 0 ? given : ours(import.meta.dirname);
const faults = (await Promise.all(files.map((file) => faultsOf(file)))).flat();
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length === 0) process.stdout.write(`files without a fault: ${files.length}\n`);
process.exit(faults.length === 0 ? 0 : 1);

function ours(folder) {
  const manifests = readdirSync(join(folder, 'kubernetes'), { recursive: true })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, 'kubernetes', name));
  return [join(folder, 'compose.yaml'), ...manifests.toSorted()];
}

/** One line for each fault: the file, the document in it, the path in that, and what is wrong. */
async function faultsOf(file) {
  const shown = relative('.', file);
  const { documents, faults: unreadable } = readDocuments(file);
  if (unreadable.length > 0) return unreadable.map((fault) => `${shown}: ${fault}`);
  if (documents.length === 0) return [`${shown}: holds nothing`];
  const perDocument = documents.map(async (document, index) => {
    const found = await documentFaults(document, file);
    const name = [document?.kind, document?.metadata?.name].filter(Boolean).join(' ');
    const where = `${shown}: document ${index + 1}${name && ` (${name})`}`;
    return found.map(({ path, message }) => `${where}: ${path || '/'} ${message}`);
  });
  return (await Promise.all(perDocument)).flat();
}

function documentFaults(document, file) {
  if (document?.services) return composeFaults(document);
  if (isKustomization(document)) return kustomizationFaults(document, file);
  return resourceFaults(document);
}
