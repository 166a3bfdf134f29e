import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import fastify from 'fastify';
import { readStopTarget } from './stop-target.js';

const router = fastify({ routerOptions: { maxParamLength: 10_000 } });
router.get('/ingest-tasks/:id', ({ params, query }) => ({ params, query }));
let server: string;
const agent = new http.Agent({ keepAlive: true });

beforeAll(async () => {
  server = await router.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  agent.destroy();
  await router.close();
});

/** What the router makes of a target, which is sent as it is. */
const routed = (path: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    http
      .get(server, { path, agent }, (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
        answer.on('end', () => resolve([answer.statusCode, JSON.parse(body)]));
      })
      .on('error', reject);
  });

const piece = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }).map(encodeURIComponent),
  fc.stringMatching(/^[!-~]{0,8}$/),
  fc.constantFrom(
    '%2F',
    '%2f',
    '%25',
    '%3F',
    '%3B',
    ';',
    '+',
    '.',
    '..',
    '%',
    '%zz',
    '%E4',
    '%00',
    '//',
    '\\',
    ':id',
  ),
);
const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
const queries = fc.oneof(
  fc.constant(''),
  text.map((value) => `?sdkAppId=${value}`),
  fc.tuple(text, text).map(([name, value]) => `?${name}=${value}&region=ap-mumbai&region=`),
);

describe('the target of a stop', () => {
  it('reads as the router reads it, or not at all: 2,000 targets', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(text, queries, async (id, query) => {
        const url = `/ingest-tasks/${id}${query}`;
        const target = readStopTarget(url);
        if (!target) return;
        read += 1;
        expect(await routed(url)).toEqual([200, JSON.parse(JSON.stringify(target))]);
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(500);
  });

  it.each([
    '/',
    '/ingest-tasks/',
    '/ingest-tasks',
    '/ingest-tasks/a/b',
    '/ingest-tasks/%E4',
    '/metrics',
    '*',
  ])('is not %s', (url) => {
    expect(readStopTarget(url)).toBeUndefined();
  });
});
