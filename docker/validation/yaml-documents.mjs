import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** Returns the documents of a YAML file as plain values, or its syntax errors with line and column. */
export function readDocuments(file) {
  const parsed = parseAllDocuments(readFileSync(file, 'utf8'), { merge: true });
  const syntaxErrors = parsed.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
  if (syntaxErrors.length > 0)
    return { documents: [], errors: syntaxErrors.map(({ message }) => firstLine(message)) };
  return { documents: parsed.map((document) => document.toJS()), errors: [] };
}

function firstLine(message) {
  return message.split('\n')[0].replace(/:$/, '');
}
