import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../../../test/support/free-port.js';
import { scriptOptions } from '../script.js';

/*
 * A TCP proxy that adds the round trip of a network. Loopback connects at once, so the time of the TCP handshake is
 * added before the first bytes.
 */
const { port, roundTripMs } = scriptOptions() as { port: number; roundTripMs: number };

const forwardLater = (from: Socket, to: Socket, firstMs: number): void => {
  const connectedAt = performance.now() + firstMs;
  from.on('data', (data) => {
    const due = Math.max(connectedAt, performance.now()) + roundTripMs / 2;
    setTimeout(() => to.writable && to.write(data), due - performance.now());
  });
  from.on('close', () => setTimeout(() => to.destroy(), roundTripMs / 2));
  from.on('error', () => {});
};

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
  forwardLater(client, upstream, roundTripMs);
  forwardLater(upstream, client, 0);
});
process.send!(await listen(server));
