import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { scaledRuns } from '../../test/scaled-runs.js';
import { VirtualClock } from '../../test/virtual-clock.js';
import { RedisSlotStore } from './redis-slot-store.js';
import { SlotStoreError } from './slot-store.js';

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
async function serve(line: string | undefined | (() => string)): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    // Without it, the responses of several commands wait for each other.
    socket.setNoDelay().on('error', () => {});
    socket.on('data', (data) => {
      const commands = data
        .toString()
        .split(/^\*\d+\r\n/m)
        .slice(1);
      for (const command of commands) {
        const isScript = /\r\neval(sha)?\r\n/i.test(command);
        let response: string | undefined = '+OK';
        if (isScript) response = typeof line === 'function' ? line() : line;
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
  return new RedisSlotStore(redis, {
    scope: 'a',
    perSecond: 20,
    replica: 'r',
    leaseMs: 6000,
    clock: new VirtualClock(),
  });
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
    [
      'READONLY',
      "-ERR Error running script (call to f_1): @user_script: 1: -READONLY You can't write at 10.0.0.1.",
    ],
    ['NOAUTH', '-NOAUTH Authentication required.'],
    ['WRONGPASS', '-WRONGPASS invalid username-password pair or user is disabled.'],
    ['NOPERM', "-NOPERM User x has no permissions to run the 'eval' command"],
    ['NOPERM', "-ERR ACL failure in script: User x has no permissions to run the 'hset' command"],
    ['MISCONF', '-MISCONF Redis is configured to save RDB snapshots.'],
    ['max-clients', '-ERR max number of clients reached'],
    ['protected-mode', '-DENIED Redis is running in protected mode because …'],
    ['no-such-database', '-ERR DB index is out of range'],
    ['no-such-database', '-ERR SELECT is not allowed in cluster mode'],
    ['not-a-cluster', '-ERR This instance has cluster support disabled'],
    ['MOVED', '-MOVED 3999 10.0.0.1:6381'],
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

describe('a connection that is replaced several times while the server does not respond', () => {
  it('is closed once', async () => {
    const store = createStore(await serve(undefined));
    expect(await open(store)).toBe('connected');
    const { stream } = redis as unknown as { stream: Socket };
    const before = stream.listenerCount('close');
    for (let n = 0; n < 20; n += 1) store.reconnect();
    expect(stream.listenerCount('close') - before).toBe(1);
  });
});

/** Encodes a reply in the protocol of Redis. */
function encode(value: unknown): string {
  if (Array.isArray(value)) return [`*${value.length}`, ...value.map(encode)].join('\r\n');
  if (typeof value === 'number') return `:${value}`;
  if (value === null) return '$-1';
  const text = value as string;
  return `$${Buffer.byteLength(text)}\r\n${text}`;
}

const RUNS = scaledRuns(5000);
const integer = fc.oneof(fc.integer({ min: -2, max: 25 }), fc.constantFrom(1e15, 2 ** 53, -1e15, 1000));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    integer,
    fc.string({ maxLength: 8 }),
    fc.constantFrom(null, 'granted', 'quota', 'share', 'not-a-member', 'invalid-data', '1e999', 'nan', ''),
    fc.array(tie('value'), { maxLength: 6 }),
  ),
}));
const scriptReply = fc.oneof(value, fc.array(fc.oneof(integer, value), { maxLength: 9 }));

const isWithin = (numbers: readonly number[], max: number): boolean =>
  numbers.every((one) => one === Infinity || (Number.isInteger(one) && one >= 0 && one <= max));

/** Whether a command returned numbers within the bounds, or failed with a SlotStoreError. */
async function isAcceptable(command: Promise<unknown>): Promise<boolean> {
  try {
    const result = (await command) as Record<string, unknown>;
    const { expiresInMs = [], ...snapshot } = (result['snapshot'] ?? result) as Record<string, never>;
    const numbers = Object.values(snapshot).filter((one) => typeof one === 'number');
    const limits = numbers.every((one) => one <= Number.MAX_SAFE_INTEGER);
    return limits && isWithin(numbers, Number.MAX_SAFE_INTEGER) && isWithin(expiresInMs, 64_000);
  } catch (error) {
    return error instanceof SlotStoreError;
  }
}

describe('a reply that no script returns', () => {
  it.each([
    [],
    null,
    'OK',
    7,
    [1],
    [[]],
    [1, 1, 'granted'],
    [1, 1, 20.5],
    [1, 1, 21, 0, 0],
    [1, 1, -1, 1, 0],
  ])('fails the command with the reason invalid-data: %j', async (...reply: unknown[]) => {
    const store = createStore(await serve(encode(reply.length === 1 ? reply[0] : reply)));
    expect(await open(store)).toBe('connected');
    const expected = { name: 'SlotStoreError', reason: 'invalid-data' };
    await expect(store.join(1, 0, [])).rejects.toMatchObject(expected);
    const request = { caller: 'a', newCalls: 1, pendingCalls: 1 };
    await expect(store.acquire(1, 'id', [request])).rejects.toMatchObject(expected);
  });

  it(`never has a result outside the bounds, nor an error of another kind: ${RUNS.toLocaleString('en')} replies`, async () => {
    let reply: unknown;
    const store = createStore(await serve(() => encode(reply)));
    expect(await open(store)).toBe('connected');
    const request = { caller: 'a', newCalls: 1, pendingCalls: 1 };
    await fc.assert(
      fc.asyncProperty(scriptReply, async (given) => {
        reply = given;
        const commands = [
          store.join(1, 0, []),
          store.acquire(1, 'id', [request]),
          store.renew(1, [request]),
          store.release(1, 'id', 0),
          store.reduce(1),
        ];
        expect(await Promise.all(commands.map(isAcceptable))).toEqual([true, true, true, true, true]);
      }),
      { numRuns: RUNS },
    );
  }, 1_800_000);
});
