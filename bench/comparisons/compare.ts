import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearerHeader } from '../../test/support/callers-file.js';
import { send } from '../../test/support/client.js';
import { type LoadGenerator, type LoadOptions, responseCount } from './load-generator.js';
import type { Script } from './script.js';

/** A response that a bare server repeats. */
export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Headers that Node.js writes by itself. */
const CONNECTION_HEADERS = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

/** Calls the gateway until a response has this status. */
export async function recordResponse(url: string, key: string, status: number): Promise<RecordedResponse> {
  const agent = new http.Agent({ keepAlive: true });
  try {
    for (let n = 0; n < 200; n += 1) {
      const response = await send(url, `/ingest-tasks/sample-${n}`, { headers: bearerHeader(key), agent });
      if (response.status !== status) continue;
      const headers = Object.entries(response.headers).filter(([name]) => !CONNECTION_HEADERS.has(name));
      return {
        status,
        headers: Object.fromEntries(headers) as Record<string, string>,
        body: response.text,
      };
    }
  } finally {
    agent.destroy();
  }
  throw new Error(`no response had status ${status}`);
}

/** A server that is compared with others. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  readonly cpuSeconds: () => number;
  /** The status that counts. */
  readonly status: string;
  readonly afterRound?: () => void;
}

export function scriptSubject(
  name: string,
  { child, ready }: Script<number>,
  status: string,
  afterRound = (): void => {},
): Subject {
  return { name, port: ready, cpuSeconds: () => child.cpuSeconds(), status, afterRound };
}

export interface Measurement {
  readonly name: string;
  readonly perSecond: number[];
  /** Processor time for one request, in microseconds. */
  readonly cpuMicros: number[];
}

/** Loads one server after the other, round by round. */
export async function compare(
  generator: LoadGenerator,
  subjects: readonly Subject[],
  load: Omit<LoadOptions, 'ports'>,
  rounds: number,
): Promise<Measurement[]> {
  const measurements = subjects.map(({ name }): Measurement => ({ name, perSecond: [], cpuMicros: [] }));
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { port, cpuSeconds, status, afterRound }] of subjects.entries()) {
      const before = cpuSeconds();
      const report = await generator.run({ ...load, ports: [port] });
      const cpuMicros = ((cpuSeconds() - before) * 1e6) / responseCount(report);
      afterRound?.();
      if (round > 0) {
        measurements[index]!.perSecond.push((report.statuses[status] ?? 0) / report.seconds);
        measurements[index]!.cpuMicros.push(cpuMicros);
      }
      await sleep(50);
    }
  }
  return measurements;
}
