import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/*
 * A way to a server as over a network with this round trip. Loopback connects at once, so what TCP's handshake would
 * have taken is added before the first bytes.
 */
const { port, roundTripMs } = JSON.parse(process.env['FAR_AWAY']!) as { port: number; roundTripMs: number };

const later = (from: Socket, to: Socket, firstMs: number): void => {
  const openAt = performance.now() + firstMs;
  from.on('data', (data) => {
    const due = Math.max(openAt, performance.now()) + roundTripMs / 2;
    setTimeout(() => to.writable && to.write(data), due - performance.now());
  });
  from.on('close', () => setTimeout(() => to.destroy(), roundTripMs / 2));
  from.on('error', () => {});
};

const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port, host: '127.0.0.1', noDelay: true });
  later(near, far, roundTripMs);
  later(far, near, 0);
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
