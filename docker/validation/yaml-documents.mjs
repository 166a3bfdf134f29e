import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** The documents of a YAML file as plain values; or why it is no YAML, with line and column. */
export function readDocuments(file) {
  const parsed = parseAllDocuments(readFileSync(file, 'utf8'), { merge: true });
  const faults = parsed.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
  if (faults.length > 0) return { documents: [], faults: faults.map(({ message }) => firstLine(message)) };
  return { documents: parsed.map((document) => document.toJS()), faults: [] };
}

function firstLine(message) {
  return message.split('\n')[0].replace(/:$/, '');
}
