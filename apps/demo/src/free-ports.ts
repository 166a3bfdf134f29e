import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** So many ports of the loopback interface that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held at once, so that no two are the same.
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(closed));
  return ports;
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
