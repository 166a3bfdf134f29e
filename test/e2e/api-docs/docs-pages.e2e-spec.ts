import { describe, expect, it } from '@jest/globals';
import { PROBLEM_CODES } from '../../contract/problem-codes.js';
import { type HttpResponse, send } from '../../support/client.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { GatewayProcess } from '../../support/process.js';
import { gatewayFixture } from '../../support/fixtures.js';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const SCRIPT = '<script>alert(1)</script>';

const { sandbox, gateway } = await gatewayFixture({});

const get = (path: string, accept?: string): Promise<HttpResponse> =>
  send(gateway.url, path, { method: 'GET', ...(accept !== undefined && { headers: { accept } }) });

/** Removes the markup of code. */
const withoutCodeMarkup = (text: string): string => text.replaceAll(/<\/?code>|`/g, '');

function expectStrictPage({ status, headers, text }: HttpResponse): void {
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  const policy = headers['content-security-policy'];
  for (const directive of [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ])
    expect(policy).toContain(directive);
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
}

describe('GET /docs', () => {
  it('returns a page that may load resources only from this gateway', async () => {
    const response = await get('/docs');
    expectStrictPage(response);
    expect(response.headers['content-security-policy']).toContain("script-src 'self'");
    const files = Array.from(response.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g), ([, file]) => file);
    expect(files).toEqual([
      'docs/favicon-32x32.png',
      'docs/swagger-ui.css',
      'docs/swagger-ui-bundle.js',
      'docs/start.js',
    ]);
    for (const file of files) expect((await get(`/${file}`)).status).toBe(200);
  });

  it.each([
    'package.json',
    'swagger-ui-bundle.js.map',
    'constructor',
    '..%2Fpackage.json',
    '%2Fetc%2Fpasswd',
    '',
  ])('returns 404 for the file %j', async (file) => {
    expect(await get(`/docs/${file}`)).toMatchObject({ status: 404, body: { code: 'route-not-found' } });
  });

  it('loads the modules of the API document only on the first request for it', async () => {
    const logModules =
      "import { registerHooks } from 'node:module'; registerHooks({ load(url, context, next) " +
      "{ if (url.includes('/gateway/document-') || url.includes('swagger-ui-dist')) console.log('loads ' + url); " +
      'return next(url, context); } });';
    const process = new GatewayProcess({
      ...gatewayEnvironment(sandbox),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(logModules)}`,
      SHUTDOWN_GRACE_MS: '500',
    });
    const url = await process.url();
    await send(url, '/readyz', { method: 'GET' });
    expect(process.stdout).not.toContain('loads ');
    expect((await send(url, '/openapi.json', { method: 'GET' })).status).toBe(200);
    expect((await process.stop('SIGTERM')).stdout).toContain('loads ');
  });
});

describe('GET /problems/{code}', () => {
  it.each(Object.entries(PROBLEM_CODES))('explains %s and its resolution', async (code, problem) => {
    const { headers, body } = await get(`/problems/${code}`);
    const { status, outcome } = problem;
    expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', vary: 'accept' });
    const sentence = expect.stringMatching(/^.{20,}\.$/);
    expect(body).toMatchObject({
      code,
      type: `/problems/${code}`,
      status,
      title: expect.stringMatching(/^[A-Z].{7,}$/),
      outcome,
      meaning: sentence,
      resolution: sentence,
    });
    const page = await get(`/problems/${code}`, BROWSER);
    expectStrictPage(page);
    for (const text of [body!['title'], body!['meaning'], body!['resolution']])
      expect(withoutCodeMarkup(page.text)).toContain(
        withoutCodeMarkup(String(text)).replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
      );
  });

  it.each([
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html;q=0.1, application/json', 'application/json'],
    ['application/json;q=0.1, text/html', 'text/html'],
    ['text/*', 'text/html'],
    ['image/png', 'application/json'],
    [';;;', 'application/json'],
  ])('responds to Accept: %s with %s', async (accept, type) => {
    for (const path of ['/problems', '/problems/task-not-found'])
      expect((await get(path, accept)).headers['content-type']).toMatch(new RegExp(`^${type};`));
  });

  it('is at the base URL of the gateway plus the type of the problem', async () => {
    const { body } = await get('/nowhere');
    expect(body).toMatchObject({ type: '/problems/route-not-found' });
    expect(await get(String(body!['type']))).toMatchObject({
      status: 200,
      body: { code: 'route-not-found' },
    });
  });

  it.each(['no-such-code', 'constructor', '__proto__', 'TASK-NOT-FOUND', encodeURIComponent(SCRIPT)])(
    'returns 404 for the code %s, and does not echo it',
    async (code) => {
      const { status, headers, text, body } = await get(`/problems/${code}`, BROWSER);
      expect({ status, ...body }).toMatchObject({
        status: 404,
        code: 'route-not-found',
        outcome: 'not-sent',
      });
      expect(headers['content-type']).toBe('application/problem+json');
      expect(text).not.toMatch(/script|no-such|constructor|proto/i);
    },
  );
});

describe('GET /problems', () => {
  it('lists every problem code of the contract, with links on the HTML page', async () => {
    const codes = Object.keys(PROBLEM_CODES);
    const { problems } = (await get('/problems')).body as { problems: { code: string }[] };
    expect(problems.map(({ code }) => code)).toEqual(codes);
    const page = await get('/problems', BROWSER);
    expectStrictPage(page);
    for (const code of codes) expect(page.text).toContain(`href="problems/${code}"`);
  });
});
