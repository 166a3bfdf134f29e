/** Loaded before the gateway where its memory is measured: reports it after a garbage collection. */
export interface MemoryUsage {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

process.on('message', () => {
  globalThis.gc!();
  globalThis.gc!();
  // V8 returns freed pages to the system a moment later.
  setTimeout(() => {
    const { rss, heapUsed } = process.memoryUsage();
    process.send!({ residentBytes: rss, heapBytes: heapUsed } satisfies MemoryUsage);
  }, 1000);
});
process.channel!.unref();
