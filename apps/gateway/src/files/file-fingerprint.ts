import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

const STAT_OPTIONS = { bigint: true } as const;

/** What tells one state of files from another without reading them; links are followed, and files need not exist. */
export async function fingerprintOf(files: readonly string[]): Promise<string> {
  return fingerprint(await Promise.all(files.map((file) => stat(file, STAT_OPTIONS).catch(() => undefined))));
}

/** The same as {@link fingerprintOf}, at once. Take it before you read the files. */
export function fingerprintOfSync(files: readonly string[]): string {
  return fingerprint(files.map((file) => statSync(file, { ...STAT_OPTIONS, throwIfNoEntry: false })));
}

function fingerprint(stats: readonly (BigIntStats | undefined)[]): string {
  return stats
    .map((found) =>
      found ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':') : '-',
    )
    .join(' ');
}
