import { execFileSync } from 'node:child_process';
import { closeSync, constants, open, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readRegularFile, readRegularFileSync } from './read-regular-file.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-regular-file-'));
});

afterAll(() => rm(folder, { recursive: true }));

const MIB = 1024 * 1024;

function createFifo(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

describe.each<[string, (path: string) => Promise<string>]>([
  ['readRegularFile', readRegularFile],
  ['readRegularFileSync', async (path) => readRegularFileSync(path)],
])('%s', (name, read) => {
  it('returns the content of a file, also through links', async () => {
    const file = join(folder, `${name}-file`);
    writeFileSync(file, 'contént\n');
    await symlink(file, `${file}-link`);
    expect(await read(file)).toBe('contént\n');
    expect(await read(`${file}-link`)).toBe('contént\n');
    expect(await read('/proc/self/stat')).toMatch(/^\d+ \(/);
  });

  it('reads up to 4 MiB', async () => {
    const file = join(folder, `${name}-large`);
    writeFileSync(file, 'x'.repeat(4 * MIB));
    expect(await read(file)).toHaveLength(4 * MIB);
    writeFileSync(file, 'x'.repeat(4 * MIB + 1));
    await expect(read(file)).rejects.toMatchObject({ code: 'EFBIG' });
  });

  it.each<[string, string, () => string | Promise<string>]>([
    ['NOT_A_REGULAR_FILE', 'a FIFO', () => createFifo(`${name}-fifo`)],
    ['NOT_A_REGULAR_FILE', 'an endless device', () => '/dev/zero'],
    ['EISDIR', 'a directory', () => folder],
    ['ENOENT', 'a missing file', () => join(folder, 'missing')],
    [
      'ENXIO',
      'a socket',
      async () => {
        const path = join(folder, `${name}-socket`);
        const server = createServer().listen(path);
        await once(server, 'listening');
        server.unref();
        return path;
      },
    ],
  ])('fails with %s for %s', async (code, _, create) => {
    const path = await create();
    await expect(read(path)).rejects.toMatchObject({ code });
  });
});

describe('readRegularFile', () => {
  it('fails when the file system does not respond, and starts no second read of the file', async () => {
    const file = join(folder, 'slow');
    writeFileSync(file, 'content');
    // Each of Node.js's four threads opens a FIFO without a writer, which blocks it.
    const fifos = [1, 2, 3, 4].map((n) => createFifo(`blocking-${n}`));
    const opened = fifos.map(
      (fifo) => new Promise<void>((resolve) => open(fifo, 'r', (_error, fd) => resolve(closeSync(fd)))),
    );
    await expect(readRegularFile(file)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await expect(readRegularFile(file)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    for (const fifo of fifos) closeSync(openSync(fifo, constants.O_RDWR));
    await Promise.all(opened);
  });
});
