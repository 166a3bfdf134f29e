import type { Server } from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';
import { setImmediate as nextPoll, setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionTracker } from './connection-tracker.js';

const POLL_INTERVAL_MS = 25;

/** Counted in polls, not in time: after a stall, what has arrived is not read yet. */
const SILENT_POLLS = 20;

interface Silence {
  readonly bytesRead: number;
  readonly polls: number;
}

/**
 * Closes the listener first, then each connection when nothing is in flight on it and nothing more arrives. Requests
 * of connections that were accepted are served.
 *
 * @param endsAt when to return at the latest, by `performance.now()`
 */
export async function closeGracefully(
  server: Server,
  connections: ConnectionTracker,
  endsAt: number,
): Promise<void> {
  // The other half is for the connections, in case new ones never stop arriving.
  await acceptPending(server, (performance.now() + endsAt) / 2);
  // The method of http.Server also destroys idle connections, and with them responses that are not flushed yet.
  TcpServer.prototype.close.call(server);
  const silences = new WeakMap<Socket, Silence>();
  while (connections.open.size > 0 && performance.now() < endsAt) {
    await sleep(POLL_INTERVAL_MS);
    for (const socket of connections.open)
      silences.set(socket, closeIfSilent(socket, connections.requestsInFlight(socket), silences.get(socket)));
  }
}

/** Returns directly after a poll that found no new connection: what the kernel still queues is reset by closing. */
async function acceptPending(server: Server, endsAt: number): Promise<void> {
  let accepted: boolean;
  const note = (): void => {
    accepted = true;
  };
  server.on('connection', note);
  do {
    accepted = false;
    await nextPoll();
  } while (accepted && performance.now() < endsAt);
  server.off('connection', note);
}

function closeIfSilent(socket: Socket, inFlight: number, before: Silence | undefined): Silence {
  const { bytesRead } = socket;
  if (inFlight > 0 || bytesRead !== before?.bytesRead) return { bytesRead, polls: 0 };
  const polls = before.polls + 1;
  // Not destroyed at once, because that discards what the client has not received yet.
  if (polls === SILENT_POLLS) socket.end();
  if (polls === 2 * SILENT_POLLS) socket.destroy();
  return { bytesRead, polls };
}
