const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file; a relative path starts in the folder where the gateway was started',
  ENOTDIR: 'there is no such file; a part of its path is a file',
  EACCES: 'the user that the gateway runs as has no permission',
  EISDIR: 'it is a directory',
  ENXIO: 'it is a socket or a device',
  NOT_A_REGULAR_FILE: 'it is a FIFO or a device',
  EFBIG: 'it has more than 4 MiB',
};

/** Describes why a file cannot be read, with the system's error code. */
export function describeFileError(error: unknown): string {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  return `cannot be read (${code})${reason === undefined ? '' : `: ${reason}`}`;
}
