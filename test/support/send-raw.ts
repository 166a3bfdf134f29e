import { connect } from 'node:net';

/** Sends bytes as they are and collects everything that comes back until the other side ends the connection. */
export function sendRaw(url: string, ...pieces: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let response = '';
    socket.on('data', (chunk: Buffer) => (response += chunk.toString('latin1')));
    // A reset is an end like any other here: what matters is what was answered before.
    socket.on('error', () => {});
    socket.on('close', () => resolve(response));
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}
