import { readFile, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { send } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { tempFolderFixture } from '../support/fixtures.js';
import { freePort } from '../support/free-port.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { Subprocess } from '../support/process.js';
import { type Program, resolveProgram } from '../support/programs.js';

const folder = await tempFolderFixture();
const NGINX: Program = { name: 'nginx', packages: ['nginx'], installHint: 'macOS: brew install nginx.' };
const HAPROXY: Program = {
  name: 'haproxy',
  packages: ['haproxy'],
  installHint: 'macOS: brew install haproxy.',
};

/** Returns the file of docker/proxies with other addresses. @throws Error when one of them is not in it */
async function readProxyFile(name: string, addresses: Record<string, string>): Promise<string> {
  let text = await readFile(`docker/proxies/${name}`, 'utf8');
  for (const [address, replacement] of Object.entries(addresses)) {
    if (!text.includes(address)) throw new Error(`${name} does not contain ${address}`);
    text = text.replaceAll(address, replacement);
  }
  return text;
}

async function startNginx(port: number, gateway: string): Promise<Subprocess> {
  const site = join(folder, 'site.conf');
  const addresses = { 'listen 8080': `listen 127.0.0.1:${port}`, 'gateway:3000': gateway };
  await writeFile(site, await readProxyFile('nginx.conf', addresses));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  const file = join(folder, 'nginx.conf');
  await writeFile(file, `events {} http { access_log off; ${paths} include ${site}; }`);
  const globals = `daemon off; error_log stderr; pid ${folder}/nginx.pid;`;
  return new Subprocess([resolveProgram(NGINX), '-e', 'stderr', '-c', file, '-g', globals]);
}

async function startHaproxy(port: number, gateway: string): Promise<Subprocess> {
  const addresses = { 'bind :8080': `bind 127.0.0.1:${port}`, 'gateway:3000': gateway };
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, await readProxyFile('haproxy.cfg', addresses));
  return new Subprocess([resolveProgram(HAPROXY), '-db', '-f', file]);
}

let sandbox: Sandbox;
let gateway: Gateway;

beforeEach(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
  const callersFile = join(folder, 'callers.json');
  await writeFile(callersFile, JSON.stringify([callerEntry('rooms', 'key-1')]));
  gateway = await startGateway(sandbox, {
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
    TRUSTED_PROXIES: '127.0.0.1',
    QUOTA_PER_SECOND: '1000',
  });
});

afterEach(async () => {
  await gateway.close();
  await sandbox.close();
});

describe.each([
  ['nginx', startNginx],
  ['HAProxy', startHaproxy],
])('behind %s, with the configuration of docker/proxies,', (_, startProxy) => {
  let proxy: Subprocess;
  let url: string;

  beforeEach(async () => {
    const port = await freePort();
    proxy = await startProxy(port, new URL(gateway.url).host);
    url = `http://127.0.0.1:${port}`;
    await eventually(async () => {
      if (proxy.hasExited) throw new Error((await proxy.finished).stderr);
      const response = await send(url, '/readyz', { method: 'GET' }).catch(() => undefined);
      return response?.status === 200;
    });
  });

  afterEach(() => proxy.stop('SIGTERM'));

  it('a task id reaches the upstream unchanged', async () => {
    const ids = {
      'a%2Fb': 'a/b',
      'a%2fc': 'a/c',
      'a+b': 'a+b',
      'a%2Bc': 'a+c',
      'abc.': 'abc.',
      'abc..': 'abc..',
      '.': '.',
      '..': '..',
      '%2E%2E': '..',
      'x%2F..%2Fy': 'x/../y',
      'a%252Fb': 'a%2Fb',
      'a%3Fb': 'a?b',
      'a==': 'a==',
    };
    for (const [encodedId, taskId] of Object.entries(ids)) {
      const { status, body } = await send(url, `/ingest-tasks/${encodedId}`, {
        headers: bearerHeader('key-1'),
      });
      expect([encodedId, status, body?.['taskId']]).toEqual([encodedId, 200, taskId]);
    }
    // The task `..` has ended when the second of its spellings arrives.
    const received = sandbox.receivedRequests().map(({ taskId }) => taskId);
    expect(received).toEqual([...new Set(Object.values(ids))]);
  });

  it('the logged address is that of the client, whatever headers it sends', async () => {
    const agent = new Agent({ localAddress: '127.0.0.2' });
    const headers = {
      'x-request-id': 'call-1',
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
    };
    gateway.logs.length = 0;
    expect((await send(url, '/ingest-tasks/x', { agent, headers })).status).toBe(401);
    expect(gateway.logs.find(({ requestId }) => requestId === 'call-1')).toMatchObject({
      address: '127.0.0.2',
    });
  });

  it('calls of several clients use one connection to the gateway', async () => {
    const ports = new Set<number | undefined>();
    gateway.app.getHttpServer().on('request', ({ url: target, socket }: IncomingMessage) => {
      // Not the health checks of the proxy.
      if (target?.startsWith('/ingest-tasks/')) ports.add(socket.remotePort);
    });
    for (const id of ['client-1', 'client-2', 'client-3']) {
      const { status } = await send(url, `/ingest-tasks/${id}`, {
        agent: new Agent({ keepAlive: false }),
        headers: bearerHeader('key-1'),
      });
      expect(status).toBe(200);
    }
    expect(ports.size).toBe(1);
  });

  it('headers and bodies over the limits get the problems of the gateway', async () => {
    const sendLargeHeader = (bytes: number) =>
      send(url, '/ingest-tasks/x', { headers: { ...bearerHeader('key-1'), 'x-large': 'x'.repeat(bytes) } });
    expect((await sendLargeHeader(15_000)).status).toBe(200);
    const { status, body: problem } = await sendLargeHeader(18_000);
    expect([status, problem?.['code']]).toEqual([431, 'request-header-fields-too-large']);
    const body = 'x'.repeat(2000);
    const response = await send(url, '/ingest-tasks/y', { headers: bearerHeader('key-1'), body });
    expect(response).toMatchObject({ status: 413, body: { code: 'content-too-large' } });
  });
});
