/** The status that nginx logs when a client has closed the connection. It is never sent. */
export const CLIENT_CLOSED_REQUEST = 499;

/** The client closed the connection before anything was sent to the cloud: the call is cancelled. */
export class ClientDisconnectedError extends Error {
  override readonly name: string = 'ClientDisconnectedError';
}

/** Shared by all requests, because its stack is never read. */
export const CLIENT_DISCONNECTED = new ClientDisconnectedError();
