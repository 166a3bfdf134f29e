import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersOf, type Flood, type FloodOrder } from './flood.js';

/** The status, headers and body of one answer, for a bare server to repeat. */
export interface AnswerToGive {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Node writes them by itself. */
const OF_THE_CONNECTION = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

/** Calls until the answer has this status. */
export async function sampleAnswer(url: string, key: string, status: number): Promise<AnswerToGive> {
  const agent = new http.Agent({ keepAlive: true });
  for (let n = 0; n < 200; n += 1) {
    const answer = await once(`${url}/ingest-tasks/sample-${n}`, key, agent);
    if (answer.status === status) {
      agent.destroy();
      return answer;
    }
  }
  throw new Error(`no answer had status ${status}`);
}

async function once(url: string, key: string, agent: http.Agent): Promise<AnswerToGive> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` };
    const request = http.request(url, { method: 'DELETE', agent, headers }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => {
        const all = Object.entries(answer.headers).filter(([name]) => !OF_THE_CONNECTION.has(name));
        resolve({
          status: answer.statusCode!,
          headers: Object.fromEntries(all) as Record<string, string>,
          body,
        });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

export interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly cpuSeconds: () => number;
  /** The status that counts. */
  readonly status: string;
  readonly afterRound?: () => void;
}

export interface Standing {
  readonly name: string;
  readonly perSecond: number[];
  /** Processor time for one request, in microseconds. */
  readonly cpuMicros: number[];
}

/** Floods one server after the other, round by round, each on a core that it has for itself. */
export async function contest(
  flood: Flood,
  contestants: readonly Contestant[],
  order: Omit<FloodOrder, 'port'>,
  rounds: number,
): Promise<Standing[]> {
  const standings = contestants.map(({ name }): Standing => ({ name, perSecond: [], cpuMicros: [] }));
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [place, { port, cpuSeconds, status, afterRound }] of contestants.entries()) {
      const before = cpuSeconds();
      const report = await flood.run({ ...order, port });
      const cpuMicros = ((cpuSeconds() - before) * 1e6) / answersOf(report);
      afterRound?.();
      if (round > 0) {
        standings[place]!.perSecond.push((report.statuses[status] ?? 0) / report.seconds);
        standings[place]!.cpuMicros.push(cpuMicros);
      }
      await sleep(50);
    }
  }
  return standings;
}
