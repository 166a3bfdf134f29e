import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectRedis } from '../../../apps/gateway/src/redis/connect-redis.js';
import { parseRedisUrl } from '../../../apps/gateway/src/redis/parse-redis-url.js';
import { SlowListener } from '../../../libs/tencent-cloud/test/slow-listener.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { RedisProcess } from '../../support/redis.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { TcpServer } from '../../support/tcp-server.js';

const cleanups: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

function closing<T extends { close(): Promise<unknown> }>(resource: T): T {
  cleanups.push(() => resource.close());
  return resource;
}

type Lookup = (host: string, options: unknown, done: (error: null, result: unknown) => void) => void;

/** Replaces name resolution in this process. */
function replaceLookup(lookup: Lookup): void {
  const spy = jest.spyOn(dns, 'lookup').mockImplementation(lookup as never);
  cleanups.push(() => spy.mockRestore());
}

/** Lets every name have these IPv4 addresses, in this order. */
function resolveTo(...addresses: string[]): void {
  replaceLookup((_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    ),
  );
}

async function clientOf(url: string): Promise<Redis> {
  const client = await connectRedis(parseRedisUrl(url)!, {
    name: 'test',
    commandTimeoutMs: 2000,
    hashTag: 'test',
  });
  client.on('error', () => {});
  cleanups.push(() => client.disconnect());
  return client;
}

const ready = (client: Redis) => once(client, 'ready');

describe('a REDIS_URL whose name has two addresses', () => {
  it('reaches the second one at the first attempt when the first one is dead', async () => {
    const redis = closing(await RedisProcess.start());
    closing(await SlowListener.start('127.0.0.2', redis.port));
    resolveTo('127.0.0.2', '127.0.0.1');
    const client = await clientOf(`redis://redis.test:${redis.port}`);
    // Rejected when the first attempt fails.
    await client.connect();
    expect(await client.ping()).toBe('PONG');
  });

  it('leaves the first one more than 250 ms for the handshake', async () => {
    const redis = closing(await TcpServer.start(() => {}));
    closing(await SlowListener.start('127.0.0.2', redis.port));
    resolveTo('127.0.0.2', '127.0.0.1');
    const client = await clientOf(`redis://redis.test:${redis.port}`);
    void client.connect().catch(() => {});
    await sleep(350);
    expect(redis.connections).toBe(0);
    await eventually(() => redis.connections === 1);
  });
});

describe('a cluster in REDIS_URL', () => {
  it('is reached when the first address of its only name is dead', async () => {
    const cluster = closing(await RedisCluster.start(1, 0));
    const [{ port }] = cluster.nodes as [RedisProcess];
    closing(await SlowListener.start('127.0.0.2', port));
    resolveTo('127.0.0.2', '127.0.0.1');
    const client = await clientOf(`redis://redis.test:${port}?cluster=true`);
    await client.connect();
    expect(await client.ping()).toBe('PONG');
  });

  it('is reached when its first node does not respond at start', async () => {
    const cluster = closing(await RedisCluster.start(1, 0));
    const silent = closing(await TcpServer.start(() => {}));
    const dead = closing(await SlowListener.start('127.0.0.2'));
    const client = await clientOf(
      `redis://127.0.0.2:${dead.port},127.0.0.1:${silent.port},127.0.0.1:${cluster.nodes[0]!.port}?cluster=true`,
    );
    await client.connect();
    expect(await client.ping()).toBe('PONG');
  });

  it('is reached when the first address of its only name accepts connections and never responds', async () => {
    const cluster = closing(await RedisCluster.start(1, 0));
    const [{ port }] = cluster.nodes as [RedisProcess];
    await startNode('127.0.0.2', port, () => {});
    resolveTo('127.0.0.2', '127.0.0.1');
    const client = await clientOf(`redis://redis.test:${port}?cluster=true`);
    await client.connect();
    expect(await client.ping()).toBe('PONG');
  });

  it('is reached when the second address of its only name is the owner, and the announced ones are dead', async () => {
    const moved = `-MOVED 1 127.0.0.1:${await freePort()}`;
    const port = await startNode('127.0.0.2', 0, (socket) => respondAsNode(socket, () => moved));
    await startNode('127.0.0.1', port, (socket) => respondAsNode(socket, () => ':0'));
    resolveTo('127.0.0.2', '127.0.0.1');
    const client = await clientOf(`redis://redis.test:${port}?cluster=true`);
    await client.connect();
    expect(client.stream.remoteAddress).toBe('127.0.0.1');
  });

  it('is reached through REDIS_URL again when all nodes that were known are gone, however many', async () => {
    let isMoved = true;
    const owner = await TcpServer.start((socket) => respondAsNode(socket, () => ':0'));
    const seed = closing(
      await TcpServer.start((socket) =>
        respondAsNode(socket, () => (isMoved ? `-MOVED 1 127.0.0.1:${owner.port}` : ':0')),
      ),
    );
    const client = await clientOf(`redis://127.0.0.1:${seed.port}?cluster=true`);
    await client.connect();
    expect(owner.connections).toBeGreaterThan(0);
    isMoved = false;
    const isReady = ready(client);
    await owner.close();
    await isReady;
    expect(client.stream.remotePort).toBe(seed.port);
  });
});

async function startNode(
  address: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<number> {
  const server = createServer((socket) => onConnection(socket.on('error', () => {}))).listen(port, address);
  await once(server, 'listening');
  cleanups.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Responds as a node of a cluster with a hundred dead nodes. */
function respondAsNode(socket: Socket, exists: () => string): void {
  const nodes = Array.from({ length: 100 }, (_, n) => `*2\r\n$9\r\n127.0.0.1\r\n:${n + 1}\r\n`);
  const slots = `*1\r\n*${nodes.length + 2}\r\n:0\r\n:16383\r\n${nodes.join('')}`;
  socket.on('data', (data: Buffer) => {
    const commands = data
      .toString()
      .split(/^\*\d+\r\n/m)
      .slice(1);
    for (const command of commands)
      if (/\r\nslots\r\n/i.test(command)) socket.write(slots);
      else socket.write(`${/\r\nexists\r\n/i.test(command) ? exists() : '+OK'}\r\n`);
  });
}

describe.each([
  ['one server', ''],
  ['a cluster', '?cluster=true'],
])('a connection to %s', (_, parameters) => {
  it('is retried when it is replaced while it is being made', async () => {
    const silent = closing(await TcpServer.start(() => {}));
    const client = await clientOf(`redis://127.0.0.1:${silent.port}${parameters}`);
    const isConnected = client.connect();
    client.disconnect(true);
    await expect(isConnected).rejects.toThrow('Connection is closed');
    await eventually(() => silent.connections > 1);
    expect(client.status).not.toBe('end');
  });

  it('ends for good when it is closed while it is being made', async () => {
    const silent = closing(await TcpServer.start(() => {}));
    const client = await clientOf(`redis://127.0.0.1:${silent.port}${parameters}`);
    const isConnected = client.connect();
    client.disconnect();
    await expect(isConnected).rejects.toThrow('Connection is closed');
    expect(client.status).toBe('end');
    const { connections } = silent;
    await sleep(500);
    expect(silent.connections).toBe(connections);
  });

  it('fails in a limited time when name resolution does not respond, and is retried', async () => {
    let lookups = 0;
    const port = await freePort();
    replaceLookup((_host, _options, done) => {
      lookups += 1;
      if (lookups > 1) done(null, [{ address: '127.0.0.1', family: 4 }]);
    });
    const client = await clientOf(`redis://redis.test:${port}${parameters}`);
    await expect(client.connect()).rejects.toThrow('Connection is closed');
    await eventually(() => lookups > 1);
    expect(client.status).not.toBe('end');
  });
});
