import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../apps/sandbox/src/sandbox.js';
import { type Answer, send } from './support/client.js';
import { type Gateway, startGateway } from './support/gateway.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await startSandbox({ autoTasks: true, quotaPerSecond: 1000 });
  gateway = await startGateway(sandbox);
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

/** Calls at this rate for that long, whatever becomes of them. */
async function flood(perSecond: number, seconds: number): Promise<Answer[]> {
  const agent = new http.Agent({ keepAlive: true });
  const calls: Promise<Answer>[] = [];
  const start = performance.now();
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const due = start + (n * 1000) / perSecond - performance.now();
    if (due > 0) await sleep(due);
    calls.push(send(gateway.url, `/ingest-tasks/flood-${n}`, { agent }));
  }
  const answers = await Promise.all(calls);
  agent.destroy();
  return answers;
}

describe('a fresh process', () => {
  it('makes the first call wait for the hold after start, and serves it', async () => {
    const { status, headers } = await send(gateway.url, '/ingest-tasks/first');
    expect(status).toBe(200);
    expect(headers['ratelimit']).toMatch(/^"stop";r=\d+;t=\d$/);
  });
});

describe('30 calls at once', () => {
  it('are 20 × 200 and 10 × 429, and only 20 reach the cloud', async () => {
    await sleep(3000);
    const before = sandbox.state().statistics.arrivals;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => send(gateway.url, `/ingest-tasks/b-${n}`)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(refused).toHaveLength(10);
    for (const { headers, body } of refused) {
      expect(body).toMatchObject({ code: 'quota-exhausted', outcome: 'not-sent', status: 429 });
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(headers['ratelimit']).toMatch(/^"stop";r=0;t=[1-9]$/);
    }
    expect(sandbox.state().statistics.arrivals - before).toBe(20);
  });

  it('succeed when they obey Retry-After', async () => {
    await sleep(3000);
    const filling = Array.from({ length: 20 }, (_, n) => send(gateway.url, `/ingest-tasks/c-${n}`));
    const answers = await Promise.all([...filling, send(gateway.url, '/ingest-tasks/late')]);
    const refused = answers.find(({ status }) => status === 429)!;
    await sleep(Number(refused.headers['retry-after']) * 1000);
    expect((await send(gateway.url, '/ingest-tasks/late')).status).toBe(200);
  });
});

describe('200 calls per second for 10 seconds, 0 to 200 ms of random delay each way', () => {
  it('never lets more than 20 arrive in any second, and answers every call with 200 or 429', async () => {
    sandbox.setDelays({ request: { minMs: 0, maxMs: 200 }, answer: { minMs: 0, maxMs: 200 } });
    const answers = await flood(200, 10);
    const { statistics } = sandbox.state();
    expect(answers).toHaveLength(2000);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(statistics.mostInAnySecond).toBeLessThanOrEqual(20);
    expect(statistics.signatures.rejected).toBe(0);
    const stopped = answers.filter(({ status }) => status === 200).length;
    // 20 / (1 + 0.2 s) per second is what the rule allows on average; far less would be a broken limiter too.
    expect(stopped).toBeGreaterThan(100);
    expect(stopped).toBeLessThanOrEqual(240);
  });
});
