import { hash, randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An entry of CALLERS_FILE for a key. */
export function callerEntry(name: string, key: string, sdkAppIds?: number[]): Record<string, unknown> {
  return { name, keySha256: hash('sha256', key), ...(sdkAppIds && { sdkAppIds }) };
}

export function bearerHeader(key: string): { authorization: string } {
  return { authorization: `Bearer ${key}` };
}

/** A folder of this test's own. */
export async function createTempFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ingest-gateway-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Replaces a file as a careful program does: nobody ever sees half of it. */
export async function replaceFileAtomically(file: string, content: string): Promise<void> {
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, content);
  await rename(written, file);
}
