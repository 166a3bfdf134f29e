import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The maximum size of a file with callers, keys or tokens, in bytes. 10,000 callers need less than a half. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A file on a network file system may not respond. */
const READ_TIMEOUT_MS = 5000;

/** Without O_NONBLOCK, opening a FIFO waits for a writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** A file has the wrong type or size, or its file system does not respond. */
class FileError extends Error {
  constructor(readonly code: 'EISDIR' | 'EFBIG' | 'ETIMEDOUT' | 'NOT_A_REGULAR_FILE') {
    super(code);
  }
}

/** A read cannot be cancelled and blocks a thread. So a file with a read that did not end is not read again. */
const blocked = new Set<string>();

/**
 * Reads a regular file as UTF-8. Links are followed.
 *
 * @throws Error with the `code` of the system; `NOT_A_REGULAR_FILE` for a FIFO, a device or a socket; `EFBIG` above 4 MiB;
 *   `ETIMEDOUT` after five seconds
 */
export async function readRegularFile(path: string): Promise<string> {
  if (blocked.has(path)) throw new FileError('ETIMEDOUT');
  blocked.add(path);
  const reading = read(path).finally(() => blocked.delete(path));
  const cancel = new AbortController();
  const timeout = sleep(READ_TIMEOUT_MS, undefined, { signal: cancel.signal, ref: false });
  try {
    return await Promise.race([reading, timeout.then(() => Promise.reject(new FileError('ETIMEDOUT')))]);
  } finally {
    cancel.abort();
  }
}

/** Reads as {@link readRegularFile}, without a timeout: nothing else runs before the start. */
export function readRegularFileSync(path: string): string {
  const file = openSync(path, FLAGS);
  try {
    assertReadable(fstatSync(file));
    const buffer = Buffer.allocUnsafe(MAX_BYTES + 1);
    let length = 0;
    for (let count = -1; count !== 0; length += count) count = readSync(file, buffer, { offset: length });
    return decode(buffer, length);
  } finally {
    closeSync(file);
  }
}

async function read(path: string): Promise<string> {
  const file = await open(path, FLAGS);
  try {
    assertReadable(await file.stat());
    const buffer = Buffer.allocUnsafe(MAX_BYTES + 1);
    let length = 0;
    for (let count = -1; count !== 0; length += count)
      ({ bytesRead: count } = await file.read(buffer, { offset: length }));
    return decode(buffer, length);
  } finally {
    await file.close();
  }
}

function assertReadable(stats: Stats): void {
  if (stats.isDirectory()) throw new FileError('EISDIR');
  if (!stats.isFile()) throw new FileError('NOT_A_REGULAR_FILE');
  if (stats.size > MAX_BYTES) throw new FileError('EFBIG');
}

/** The size of a file can grow while it is read, and is 0 for files in /proc. */
function decode(buffer: Buffer, length: number): string {
  if (length > MAX_BYTES) throw new FileError('EFBIG');
  return buffer.toString('utf8', 0, length);
}
