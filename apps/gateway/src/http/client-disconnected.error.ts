/** The status that nginx logs for a client that closed the connection; nobody receives it. */
export const CLIENT_CLOSED_REQUEST = 499;

/** The client closed the connection before anything was sent to the cloud: the call is cancelled. */
export class ClientDisconnectedError extends Error {
  override readonly name: string = 'ClientDisconnectedError';
}

/** One for all requests: every response ends with it, and nobody reads its stack. */
export const CLIENT_DISCONNECTED = new ClientDisconnectedError();
