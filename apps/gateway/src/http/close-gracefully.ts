import type { Server } from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';
import { setImmediate as nextPoll, setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionTracker } from './connection-tracker.js';

const POLL_INTERVAL_MS = 25;

/** Counts polls, not time: after a stall, bytes that have arrived are not read yet. */
const MAX_IDLE_POLLS = 20;

interface IdleState {
  readonly bytesRead: number;
  readonly idlePolls: number;
}

/**
 * Closes the listener first, then each connection once nothing is in flight on it and no more bytes arrive. Requests on
 * accepted connections are still served.
 *
 * @param endsAt the `performance.now()` at which to stop waiting
 */
export async function closeGracefully(
  server: Server,
  connections: ConnectionTracker,
  endsAt: number,
): Promise<void> {
  // If new connections never stop arriving, half of the time remains for closing them.
  await acceptPending(server, (performance.now() + endsAt) / 2);
  // http.Server.close also destroys idle connections, and with them responses that are not flushed yet.
  TcpServer.prototype.close.call(server);
  const idleStates = new WeakMap<Socket, IdleState>();
  while (connections.open.size > 0 && performance.now() < endsAt) {
    await sleep(POLL_INTERVAL_MS);
    for (const socket of connections.open)
      idleStates.set(
        socket,
        closeIfIdle(socket, connections.requestsInFlight(socket), idleStates.get(socket)),
      );
  }
}

/** Returns right after a poll without a new connection: closing resets the connections that the kernel still queues. */
async function acceptPending(server: Server, endsAt: number): Promise<void> {
  let accepted: boolean;
  const onAccepted = (): void => {
    accepted = true;
  };
  server.on('connection', onAccepted);
  do {
    accepted = false;
    await nextPoll();
  } while (accepted && performance.now() < endsAt);
  server.off('connection', onAccepted);
}

function closeIfIdle(socket: Socket, inFlight: number, previous: IdleState | undefined): IdleState {
  const { bytesRead } = socket;
  if (inFlight > 0 || bytesRead !== previous?.bytesRead) return { bytesRead, idlePolls: 0 };
  const idlePolls = previous.idlePolls + 1;
  // Not destroyed immediately, because that discards bytes that the client has not received yet.
  if (idlePolls === MAX_IDLE_POLLS) socket.end();
  if (idlePolls === 2 * MAX_IDLE_POLLS) socket.destroy();
  return { bytesRead, idlePolls };
}
