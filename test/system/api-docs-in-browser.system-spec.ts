import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { startChromium } from '../support/chromium.js';
import { stopTask } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { listen } from '../support/free-port.js';
import { gatewayFixture, tempFolderFixture } from '../support/fixtures.js';

const KEY = 'igw_browser-test';
const WIDTH = 860;

// The browser is slow on a busy machine.
jest.setTimeout(240_000);

const requested: string[] = [];
const violations: string[] = [];

const folder = await tempFolderFixture();
const callersFile = join(folder, 'callers.json');
await writeFile(callersFile, JSON.stringify([callerEntry('developer', KEY)]));
const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true },
  {
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
    QUOTA_PER_SECOND: '1',
    // The call without a response holds the slot.
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
    UPSTREAM_DEADLINE_MS: '60000',
  },
);
const chromium = await startChromium();
const page = await chromium.newPage({ viewport: { width: WIDTH, height: 1000 } });
page.setDefaultTimeout(120_000);
page.on('request', (request) => requested.push(request.url()));
page.on('console', (message) => {
  if (message.text().includes('Content Security Policy')) violations.push(message.text());
});

afterAll(() => chromium.close());

const operation = (): Locator => page.locator('#operations-Ingest_tasks-stopIngestTask');
const liveResponse = (): Locator => operation().locator('.live-responses-table');

/** Executes the DELETE in the page. @returns the status that the page shows */
async function tryOut(taskId: string): Promise<string> {
  await operation().getByPlaceholder('id', { exact: true }).fill(taskId);
  const clear = operation().getByRole('button', { name: 'Clear' });
  if (await clear.isVisible()) await clear.click();
  await operation().getByRole('button', { name: 'Execute' }).click();
  return liveResponse().locator('tr.response td.response-col_status').innerText();
}

/** Holds the only slot with a call that gets no response. */
async function holdSlot(): Promise<void> {
  sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 1, taskId: 'held' }]);
  void stopTask(gateway.url, 'held', '', { ...bearerHeader(KEY), prefer: 'wait=30' }).catch(() => {});
  await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'held'));
}

/** Updates a picture of the documentation: SCREENSHOTS=docs/images npm run test:system */
async function screenshot(name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.evaluate('scrollTo(0, 0)');
  const { y } = (await operation().boundingBox())!;
  const end = (await liveResponse().boundingBox())!;
  const clip = { x: 0, y: y - 10, width: WIDTH, height: end.y + end.height - y + 20 };
  await page.screenshot({ path: join(directory, name), fullPage: true, clip });
}

// The tests share one page, in this order.
describe('/docs in a browser', () => {
  it('authorises the user with a key', async () => {
    await page.goto(`${gateway.url}/docs`);
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.locator('.auth-container input').fill(KEY);
    await page.locator('.auth-btn-wrapper .authorize').click();
    await page.locator('.auth-btn-wrapper .btn-done').click();
    const locked = operation().locator('button[aria-label="authorization button locked"]');
    await locked.waitFor();
    expect(await locked.count()).toBe(1);
  });

  it('executes the DELETE, and shows the 200 of a stopped task', async () => {
    await operation().locator('.opblock-summary-control').click();
    expect(await tryOut('tried-out')).toBe('200');
    expect(await liveResponse().innerText()).toContain('"status": "stopped"');
    expect(sandbox.tasks()).toContainEqual(
      expect.objectContaining({ taskId: 'tried-out', status: 'finished' }),
    );
  });

  it('shows the 429 of a call without a slot, with its problem and headers', async () => {
    await holdSlot();
    expect(await tryOut('without-slot')).toBe('429');
    const shown = await liveResponse().innerText();
    for (const text of ['"code": "quota-exhausted"', 'ratelimit-policy: "stop";q=1;w=1', 'retry-after: '])
      expect(shown).toContain(text);
    await screenshot('docs.png');
  });

  it('does not violate its Content-Security-Policy', () => {
    expect(violations).toEqual([]);
  });

  it('sends requests only to this gateway', () => {
    const otherRequests = requested.filter(
      (url) => !url.startsWith(`${gateway.url}/`) && !url.startsWith('data:'),
    );
    expect(otherRequests).toEqual([]);
    expect(requested.filter((url) => url.includes('/ingest-tasks/'))).toHaveLength(2);
  });
});

describe('/problems/{code} in a browser', () => {
  it('shows the resolution of the problem', async () => {
    await page.goto(`${gateway.url}/problems/task-not-found`);
    expect(await page.getByRole('heading').innerText()).toBe('Task not found');
    expect(await page.locator('dl').innerText()).toContain('Resolution');
    // The Content-Security-Policy allows the style.
    expect(await page.evaluate("getComputedStyle(document.querySelector('dt')).fontWeight")).toBe('600');
    await page.getByRole('link', { name: 'All problems' }).click();
    await page.getByRole('link', { name: 'quota-exhausted' }).click();
    expect(await page.getByRole('heading').innerText()).toBe('Quota exhausted');
    expect(violations).toEqual([]);
  });
});

describe('a page of another origin', () => {
  it('cannot frame /docs', async () => {
    const otherServer = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<iframe src="${gateway.url}/docs"></iframe>`);
    });
    const port = await listen(otherServer);
    await page.goto(`http://127.0.0.1:${port}/`);
    await eventually(() => violations.length > 0);
    expect(violations.join('\n')).toContain('frame-ancestors');
    otherServer.closeAllConnections();
    otherServer.close();
  });
});
