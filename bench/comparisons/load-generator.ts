import type { Subprocess } from '../../test/support/process.js';
import { keyOf } from './gateway.js';
import { LOAD_CORE, startScript } from './script.js';

export interface LoadOptions {
  /** The connections are divided among them. */
  readonly ports: readonly number[];
  /** The request; `{n}` stands for a number that is different in each request. */
  readonly head: string;
  /** Each connection has one request in flight. */
  readonly connections: number;
  /** Default: as many as the servers can respond to. */
  readonly perSecond?: number;
  readonly ms: number;
  /** Ends after this number of requests if that is earlier. */
  readonly count?: number;
}

export interface LoadReport {
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of responses with status 200. */
  readonly admittedMs: { readonly p50: number; readonly p99: number };
}

/** A DELETE of a task; each request has another task. */
export function stopRequest(key: string): string {
  return (
    `DELETE /ingest-tasks/flood-{n} HTTP/1.1\r\nHost: gateway.internal:3000\r\n` +
    `Authorization: Bearer ${key}\r\nAccept: application/json\r\n\r\n`
  );
}

export const STOP_REQUEST = stopRequest(keyOf(0));

/** The load generator, in its own process on the second core. */
export class LoadGenerator {
  private constructor(private readonly child: Subprocess) {}

  static async start(): Promise<LoadGenerator> {
    const { child } = await startScript('./clients/load-generator.js', {}, { core: LOAD_CORE });
    return new LoadGenerator(child);
  }

  run(options: LoadOptions): Promise<LoadReport> {
    return this.child.request(options);
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }
}

export function responseCount({ statuses }: LoadReport): number {
  return Object.values(statuses).reduce((sum, count) => sum + count, 0);
}
