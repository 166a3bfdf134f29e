// Validates the compose file and the Kubernetes manifests against their schemas. An unknown field is an error.
//
//   node docker/validate.mjs            compose.yaml and everything under kubernetes/
//   node docker/validate.mjs <file>…    these files
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { validateCompose } from './validation/compose.mjs';
import { isKustomization, validateKustomization } from './validation/kustomization.mjs';
import { validateResource } from './validation/resource.mjs';
import { readDocuments } from './validation/yaml-documents.mjs';

const argumentFiles = process.argv.slice(2);
const files = argumentFiles.length > 0 ? argumentFiles : defaultFiles(import.meta.dirname);
const lines = (await Promise.all(files.map((file) => validateFile(file)))).flat();
for (const line of lines) process.stderr.write(`${line}\n`);
if (lines.length === 0) process.stdout.write(`valid files: ${files.length}\n`);
process.exit(lines.length === 0 ? 0 : 1);

function defaultFiles(folder) {
  const manifests = readdirSync(join(folder, 'kubernetes'), { recursive: true })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, 'kubernetes', name));
  return [join(folder, 'compose.yaml'), ...manifests.toSorted()];
}

/** One line for each error: the file, its document, the path in the document, and the message. */
async function validateFile(file) {
  const name = relative('.', file);
  const { documents, errors: syntaxErrors } = readDocuments(file);
  if (syntaxErrors.length > 0) return syntaxErrors.map((error) => `${name}: ${error}`);
  if (documents.length === 0) return [`${name}: is empty`];
  const perDocument = documents.map(async (document, index) => {
    const errors = await validateDocument(document, file);
    const label = [document?.kind, document?.metadata?.name].filter(Boolean).join(' ');
    const where = `${name}: document ${index + 1}${label && ` (${label})`}`;
    return errors.map(({ path, message }) => `${where}: ${path || '/'} ${message}`);
  });
  return (await Promise.all(perDocument)).flat();
}

function validateDocument(document, file) {
  if (document?.services) return validateCompose(document);
  if (isKustomization(document)) return validateKustomization(document, file);
  return validateResource(document);
}
