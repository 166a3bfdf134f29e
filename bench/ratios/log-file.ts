import { closeSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a server prints, in a file as in production. Nobody reads it here, and it grows by hundreds of megabytes. */
export class LogFile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ingest-gateway-bench-log-'));
  readonly #path = join(this.#folder, 'log');
  readonly descriptor = openSync(this.#path, 'a');

  empty(): void {
    truncateSync(this.#path);
  }

  remove(): void {
    closeSync(this.descriptor);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
