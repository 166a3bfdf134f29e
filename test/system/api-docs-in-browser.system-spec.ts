import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry, createTempFolder } from '../support/callers-file.js';
import { startChromium } from '../support/chromium.js';
import { stopTask } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';

const KEY = 'igw_a-key-of-this-test';
const WIDTH = 860;

// A browser is slow on a busy machine.
jest.setTimeout(240_000);

let sandbox: Sandbox;
let folder: Awaited<ReturnType<typeof createTempFolder>>;
let gateway: Gateway;
let chromium: Browser;
let page: Page;
const requested: string[] = [];
const violations: string[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  folder = await createTempFolder();
  const callersFile = join(folder.path, 'callers.json');
  await writeFile(callersFile, JSON.stringify([callerEntry('developer', KEY)]));
  gateway = await startGateway(sandbox, {
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
    QUOTA_PER_SECOND: '1',
    // The slot is held for as long as the cloud takes.
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
    UPSTREAM_DEADLINE_MS: '60000',
  });
  chromium = await startChromium();
  page = await chromium.newPage({ viewport: { width: WIDTH, height: 1000 } });
  page.setDefaultTimeout(120_000);
  page.on('request', (request) => requested.push(request.url()));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) violations.push(message.text());
  });
});

afterAll(async () => {
  await chromium.close();
  await gateway.close();
  await sandbox.close();
  await folder.remove();
});

const operation = (): Locator => page.locator('#operations-Ingest_tasks-stopIngestTask');
const responded = (): Locator => operation().locator('.live-responses-table');

/** Tries the DELETE out, and tells the status that the page shows. */
async function tryOut(taskId: string): Promise<string> {
  await operation().getByPlaceholder('id', { exact: true }).fill(taskId);
  const clear = operation().getByRole('button', { name: 'Clear' });
  if (await clear.isVisible()) await clear.click();
  await operation().getByRole('button', { name: 'Execute' }).click();
  return responded().locator('tr.response td.response-col_status').innerText();
}

/** A call that the cloud does not answer before the browser has seen what it came to see. */
async function holdTheSlot(): Promise<void> {
  sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 1, taskId: 'held' }]);
  void stopTask(gateway.url, 'held', '', { ...bearerHeader(KEY), prefer: 'wait=30' }).catch(() => {});
  await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'held'));
}

/** Makes a picture for the README when it is asked for: SCREENSHOTS=docs/images npm run test:system */
async function screenshot(name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.evaluate('scrollTo(0, 0)');
  const { y } = (await operation().boundingBox())!;
  const end = (await responded().boundingBox())!;
  const clip = { x: 0, y: y - 10, width: WIDTH, height: end.y + end.height - y + 20 };
  await page.screenshot({ path: join(directory, name), fullPage: true, clip });
}

// The cases are one visit, in this order.
describe('/docs in a browser', () => {
  it('lets its reader authorise with a key', async () => {
    await page.goto(`${gateway.url}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.locator('.auth-container input').fill(KEY);
    await page.locator('.auth-btn-wrapper .authorize').click();
    await page.locator('.auth-btn-wrapper .btn-done').click();
    const locked = operation().locator('button[aria-label="authorization button locked"]');
    await locked.waitFor();
    expect(await locked.count()).toBe(1);
  });

  it('lets it try the DELETE out, and shows the 200 of a stopped task', async () => {
    await operation().locator('.opblock-summary-control').click();
    expect(await tryOut('tried-out')).toBe('200');
    expect(await responded().innerText()).toContain('"status": "stopped"');
    expect(sandbox.tasks()).toContainEqual(
      expect.objectContaining({ taskId: 'tried-out', status: 'finished' }),
    );
  });

  it('shows the 429 of a call without a slot, with its problem and headers', async () => {
    await holdTheSlot();
    expect(await tryOut('one-too-many')).toBe('429');
    const shown = await responded().innerText();
    for (const text of ['"code": "quota-exhausted"', 'ratelimit-policy: "stop";q=1;w=1', 'retry-after: '])
      expect(shown).toContain(text);
    await screenshot('docs.png');
  });

  it('does nothing that its Content-Security-Policy forbids', () => {
    expect(violations).toEqual([]);
  });

  it('asks for nothing but this gateway', () => {
    const elsewhere = requested.filter(
      (url) => !url.startsWith(`${gateway.url}/`) && !url.startsWith('data:'),
    );
    expect(elsewhere).toEqual([]);
    expect(requested.filter((url) => url.includes('/ingest-tasks/'))).toHaveLength(2);
  });
});

describe('/problems/{code} in a browser', () => {
  it('is a page that says what to do', async () => {
    await page.goto(`${gateway.url}/problems/task-not-found`);
    expect(await page.getByRole('heading').innerText()).toBe('Task not found');
    expect(await page.locator('dl').innerText()).toContain('What to do');
    // The style came through the policy.
    expect(await page.evaluate("getComputedStyle(document.querySelector('dt')).fontWeight")).toBe('600');
    await page.getByRole('link', { name: 'All problems' }).click();
    await page.getByRole('link', { name: 'quota-exhausted' }).click();
    expect(await page.getByRole('heading').innerText()).toBe('Quota exhausted');
    expect(violations).toEqual([]);
  });
});

describe('a page of somebody else', () => {
  it('is not allowed to frame /docs', async () => {
    const elsewhere = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<iframe src="${gateway.url}/docs"></iframe>`);
    });
    elsewhere.listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const { port } = elsewhere.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await eventually(() => violations.length > 0);
    expect(violations.join('\n')).toContain('frame-ancestors');
    elsewhere.closeAllConnections();
    elsewhere.close();
  });
});
