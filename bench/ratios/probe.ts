/** Loaded before the gateway where its memory is measured: says what the process holds once garbage is gone. */
export interface Holdings {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

process.on('message', () => {
  globalThis.gc!();
  globalThis.gc!();
  // What the collector gives back goes a moment later.
  setTimeout(() => {
    const { rss, heapUsed } = process.memoryUsage();
    process.send!({ residentBytes: rss, heapBytes: heapUsed } satisfies Holdings);
  }, 1000);
});
process.channel!.unref();
