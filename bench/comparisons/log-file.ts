import { closeSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file for the log of a server, as in production. It grows by hundreds of megabytes: truncate it between rounds. */
export class LogFile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ingest-gateway-bench-log-'));
  readonly #path = join(this.#folder, 'log');
  readonly descriptor = openSync(this.#path, 'a');

  truncate(): void {
    truncateSync(this.#path);
  }

  remove(): void {
    closeSync(this.descriptor);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
