import { Child, script } from './child.js';
import { keyOf } from './gateway.js';

export interface FloodOrder {
  readonly port: number;
  /** The request, with `{n}` where a number goes that is never the same. */
  readonly head: string;
  /** Each has one request under way, and sends the next when that is answered. */
  readonly connections: number;
  readonly ms: number;
  /** Ends after so many requests, if that is earlier. */
  readonly count?: number;
}

export interface FloodReport {
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of answers with 200. */
  readonly admittedMs: { readonly p50: number; readonly p99: number };
}

/** A DELETE of a task with a name of its own. */
export function stopRequest(key: string): string {
  return (
    `DELETE /ingest-tasks/flood-{n} HTTP/1.1\r\nHost: gateway.internal:3000\r\n` +
    `Authorization: Bearer ${key}\r\nAccept: application/json\r\n\r\n`
  );
}

export const STOP = stopRequest(keyOf(0));

/** The load generator: a process of its own on the second core. */
export class Flood {
  private constructor(private readonly child: Child) {}

  static async start(): Promise<Flood> {
    const child = new Child(script('./clients/flood.js'), { core: 1 });
    await child.told();
    return new Flood(child);
  }

  run(order: FloodOrder): Promise<FloodReport> {
    return this.child.ask(order);
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

export function answersOf({ statuses }: FloodReport): number {
  return Object.values(statuses).reduce((sum, count) => sum + count, 0);
}
