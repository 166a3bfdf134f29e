import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { callerEntry } from '../../support/callers-file.js';
import { send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { connectRaw, type RawConnection } from '../../support/raw-http.js';
import { replaceFileAtomically } from '../../support/temp-folder.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
const folder = await tempFolderFixture();
const CALLERS_FILE = join(folder, 'callers.json');
const CALLERS = [callerEntry('greedy', 'igw_greedy'), callerEntry('modest', 'igw_modest')];

let gateway: Gateway;

async function start(limits: { maxConnections?: number; maxUnsentBytes?: number }): Promise<void> {
  await writeFile(CALLERS_FILE, JSON.stringify(CALLERS));
  gateway = await startGateway(
    sandbox,
    { ALLOW_ANONYMOUS: '', CALLERS_FILE, QUOTA_PER_SECOND: '1000' },
    { limits },
  );
}

afterEach(async () => {
  sandbox.setFaults([]);
  await gateway.close();
});

/** A connection of a client, and whether it is still open. */
interface Client extends RawConnection {
  isOpen: boolean;
  request(head: string): Promise<void>;
}

async function connectClient(): Promise<Client> {
  const connection = connectRaw(gateway.url);
  let received = 0;
  connection.socket.on('data', () => (received += 1));
  const client: Client = {
    ...connection,
    isOpen: true,
    async request(head) {
      const before = received;
      connection.socket.write(`${head} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await eventually(() => received > before || !client.isOpen);
    },
  };
  void connection.closed.then(() => (client.isOpen = false));
  await new Promise((resolve) => connection.socket.once('connect', resolve));
  // A response to another connection proves that the gateway has accepted this one.
  return client;
}

async function connectCaller(key: string): Promise<Client> {
  const client = await connectClient();
  client.socket.write(`DELETE /ingest-tasks/%00 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
  await new Promise((resolve) => client.socket.once('data', resolve).once('close', resolve));
  return client;
}

async function repeat<T>(count: number, action: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < count; n += 1) results.push(await action());
  return results;
}

const isOpen = (clients: Client[]) => clients.map((client) => client.isOpen);
const ready = async () => (await send(gateway.url, '/readyz', { method: 'GET' })).status;

describe('at the limit of connections', () => {
  it('the caller with the most connections loses an idle one, and other callers and probes are served', async () => {
    await start({ maxConnections: 16 });
    const modest = await repeat(3, () => connectCaller('igw_modest'));
    const greedy = await repeat(13, () => connectCaller('igw_greedy'));
    expect(isOpen([...modest, ...greedy])).toEqual(Array(16).fill(true));
    expect(await ready()).toBe(200);
    const another = await connectCaller('igw_modest');
    await another.request('GET /livez');
    await eventually(() => !greedy[0]!.isOpen);
    expect(isOpen([...modest, another])).toEqual([true, true, true, true]);
    expect(greedy.filter((client) => client.isOpen).length).toBeGreaterThanOrEqual(11);
    for (const client of [...modest, ...greedy, another]) client.socket.destroy();
  });

  it('a connection with a call in flight stays open as long as its caller has an idle one', async () => {
    await start({ maxConnections: 8 });
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 2000 }, times: 1, taskId: 'in-flight' }]);
    const busy = await connectCaller('igw_greedy');
    busy.socket.write(
      'DELETE /ingest-tasks/in-flight HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer igw_greedy\r\n\r\n',
    );
    await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'in-flight'));
    const idle = await repeat(7, () => connectCaller('igw_greedy'));
    await repeat(5, ready);
    expect(await busy.closed).toContain('"taskId":"in-flight"');
    expect(idle.filter((client) => client.isOpen).length).toBeLessThan(7);
    for (const client of idle) client.socket.destroy();
  });

  it('clients without a key lose their oldest connection before any caller does', async () => {
    await start({ maxConnections: 16 });
    const callers = await repeat(12, () => connectCaller('igw_greedy'));
    const strangers = await repeat(30, connectClient);
    await eventually(() => strangers.filter((client) => client.isOpen).length <= 4);
    expect(isOpen(callers)).toEqual(Array(12).fill(true));
    expect(strangers.at(-1)!.isOpen).toBe(true);
    for (const client of [...callers, ...strangers]) client.socket.destroy();
  });

  it('the connections of a revoked key count as connections without a key', async () => {
    await start({ maxConnections: 16 });
    const revoked = await repeat(10, () => connectCaller('igw_greedy'));
    await replaceFileAtomically(CALLERS_FILE, JSON.stringify(CALLERS.slice(1)));
    await eventually(() => gateway.logs.some(({ event }) => event === 'callers-reloaded'));
    const modest = await repeat(10, () => connectCaller('igw_modest'));
    await eventually(() => revoked.filter((client) => client.isOpen).length <= 6);
    expect(isOpen(modest)).toEqual(Array(10).fill(true));
    for (const client of [...revoked, ...modest]) client.socket.destroy();
  });
});

describe('responses that clients do not read', () => {
  it('are limited together: the client that takes the longest is disconnected', async () => {
    await start({ maxUnsentBytes: 1_000_000 });
    const first = connectRaw(gateway.url);
    first.socket.pause();
    // More than the buffers of the operating system hold.
    const flood = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5000);
    first.socket.write(flood);
    const others = Array.from({ length: 60 }, () => connectRaw(gateway.url));
    for (const { socket } of others) {
      socket.pause();
      socket.write(flood);
    }
    // The client does not see the end of the connection before it has read everything.
    let isReset = false;
    first.socket.on('error', () => (isReset = true));
    await eventually(() => {
      first.socket.write('x');
      return isReset;
    });
    expect(await ready()).toBe(200);
    for (const { socket } of [first, ...others]) socket.destroy();
  });
});
