import { once } from 'node:events';
import http, { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SlowListener } from '../test/slow-listener.js';
import { divideConnectTime, resolveConnectOptions } from './connect-options.js';

const lookupOf =
  (...addresses: string[]): LookupFunction =>
  (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );

const failToResolve: LookupFunction = (_host, _options, done) =>
  done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '');

describe('the time of a connection', () => {
  it.each([
    [3000, 1],
    [1500, 2],
    [1000, 3],
    [750, 4],
    [750, 50],
  ])('leaves %d of 3000 ms to each of %d addresses', async (expectedMs, count) => {
    const addresses = Array.from({ length: count }, (_, n) => `127.0.0.${n}`);
    const options = await resolveConnectOptions('name', 3000, lookupOf(...addresses));
    expect(options).toMatchObject({
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: expectedMs,
    });
  });
});

describe('a request to a name with two addresses', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function startSlow(address: string, port?: number): Promise<SlowListener> {
    const listener = await SlowListener.start(address, port);
    closing.push(() => listener.close());
    return listener;
  }

  async function startFast(address: string, port: number): Promise<Server> {
    const server = createServer((_request, response) => response.end(address)).listen(port, address);
    await once(server, 'listening');
    closing.push(() => (server.closeAllConnections(), server.close()));
    return server;
  }

  /** Returns the address that responds. */
  async function request(port: number, timeoutMs: number, ...addresses: string[]): Promise<string> {
    const agent = divideConnectTime(new Agent({ lookup: lookupOf(...addresses) }), timeoutMs);
    closing.push(() => agent.destroy());
    const [response] = (await once(http.get({ host: 'name', port, agent }), 'response')) as [
      http.IncomingMessage,
    ];
    return text(response);
  }

  it('waits longer than 250 ms for the handshake of the first one', async () => {
    const slow = await startSlow('127.0.0.1');
    await startSlow('127.0.0.2', slow.port);
    const address = request(slow.port, 60_000, '127.0.0.1', '127.0.0.2');
    // It is blocked until Node.js's own timeout has passed: the handshake is still waiting.
    await new Promise((resolve) => setTimeout(resolve, 300));
    slow.unblock();
    expect(await address).toBe('127.0.0.1');
  });

  it('reaches the second one when the first one does not respond', async () => {
    const dead = await startSlow('127.0.0.1');
    await startFast('127.0.0.2', dead.port);
    expect(await request(dead.port, 1000, '127.0.0.1', '127.0.0.2')).toBe('127.0.0.2');
  });

  it('reaches the second one when the first one rejects the connection', async () => {
    const server = await startFast('127.0.0.2', 0);
    const { port } = server.address() as AddressInfo;
    expect(await request(port, 60_000, '127.0.0.1', '127.0.0.2')).toBe('127.0.0.2');
  });

  it('fails with the error of the lookup when the name does not resolve', async () => {
    const agent = divideConnectTime(new Agent({ lookup: failToResolve }), 1000);
    const [error] = (await once(http.get({ host: 'name', agent }), 'error')) as [Error];
    expect(error).toMatchObject({ code: 'ENOTFOUND' });
  });
});
