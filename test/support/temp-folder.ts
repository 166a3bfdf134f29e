import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Creates an empty folder for one test. */
export async function createTempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'ingest-gateway-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Replaces a file in one step, so that no reader sees an incomplete file. */
export async function replaceFileAtomically(file: string, content: string): Promise<void> {
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, content);
  await rename(written, file);
}
