import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { VirtualClock } from '../../test/virtual-clock.js';
import { RedisSlotStore } from './redis-slot-store.js';

const sockets = new Set<Socket>();
let server: Server | undefined;
let redis: Redis;

afterEach(() => {
  redis.disconnect();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
  server = undefined;
});

/** Starts a server that responds to scripts with this line, or not at all. */
async function serve(line: string | undefined): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const commands = data
        .toString()
        .split(/^\*\d+\r\n/m)
        .slice(1);
      for (const command of commands) {
        const response = /\r\neval(sha)?\r\n/i.test(command) ? line : '+OK';
        if (response !== undefined) socket.write(`${response}\r\n`);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function createStore(port: number, commandTimeout = 10_000): RedisSlotStore {
  redis = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
    commandTimeout,
    disconnectTimeout: 1,
  });
  return new RedisSlotStore(redis, { scope: 'a', perSecond: 20, replica: 'r', leaseMs: 6000, clock: new VirtualClock() });
}

function endConnections(): void {
  for (const socket of sockets) socket.end();
}

/** Opens a store and returns its first event. Calls `onConnected` when it has connected. */
function open(store: RedisSlotStore, onConnected?: () => void): Promise<string> {
  return new Promise((resolve) => {
    store.open({
      connected: onConnected ?? (() => resolve('connected')),
      disconnected: (reason) => resolve(`disconnected: ${reason}`),
    });
  });
}

describe('the reason of a Redis failure', () => {
  it('is the system error code when no connection is made', async () => {
    const port = await serve(undefined);
    server!.close();
    await once(server!, 'close');
    expect(await open(createStore(port))).toBe('disconnected: ECONNREFUSED');
  });

  it.each([
    ['OOM', "-OOM command not allowed when used memory > 'maxmemory'."],
    ['READONLY', '-READONLY You can not write against a read only replica at 10.0.0.1.'],
    ['closed', '-an error without a code at 10.0.0.1'],
  ])('is %s when the response is %s', async (reason, line) => {
    const store = createStore(await serve(line));
    expect(await open(store)).toBe('connected');
    await expect(store.heartbeat(1, { fallbackSlots: 0, epoch: 0 })).rejects.toMatchObject({
      name: 'SlotStoreError',
      reason,
    });
  });

  it('is timeout when there is no response', async () => {
    const store = createStore(await serve(undefined), 500);
    expect(await open(store)).toBe('connected');
    await expect(store.reduce(1)).rejects.toMatchObject({ name: 'SlotStoreError', reason: 'timeout' });
  });

  it('is closed when the connection ends without an error', async () => {
    expect(await open(createStore(await serve(undefined)), endConnections)).toBe('disconnected: closed');
  });

  it('is closed when the connection is replaced', async () => {
    const store = createStore(await serve(undefined));
    expect(await open(store, () => store.reconnect())).toBe('disconnected: closed');
  });
});
