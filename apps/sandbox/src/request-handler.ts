import { responseHeaders, edgePage, sendResponse } from './cloud-response.js';
import type { RequestHandler } from './cloud-listener.js';
import { readRequest } from './cloud-request.js';
import type { Cloud } from './cloud.js';
import type { Network } from './delays.js';
import { injectFault } from './inject-fault.js';

export interface RequestHandlerOptions {
  readonly cloud: Cloud;
  readonly network: Network;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly closing: AbortSignal;
}

/** Carries a request to the cloud and its answer back, or lets the fault happen that the cloud chose. */
export function createRequestHandler({
  cloud,
  network,
  now,
  closing,
}: RequestHandlerOptions): RequestHandler {
  const handle: (...trip: Parameters<RequestHandler>) => Promise<void> = async (
    message,
    response,
    connection,
  ) => {
    const request = await readRequest(message);
    // From here on the client may hang up: what has left it arrives all the same.
    await network.delay('request');
    const { response: answer, fault } = await cloud.handle(request, connection);
    await network.delay('response');

    const headersFor = (contentType: string): Record<string, string> =>
      responseHeaders(request, now(), contentType);
    if (!answer) {
      sendResponse(response, 404, headersFor('text/html'), edgePage(404, 'Not Found'));
    } else if (fault) {
      const { socket } = message;
      await injectFault(fault, {
        response,
        socket,
        tcp: connection.tcp,
        headersFor,
        body: answer.body,
        closeSignal: closing,
      });
    } else {
      sendResponse(response, 200, headersFor('application/json'), answer.body);
    }
  };

  return (message, response, connection) => {
    handle(message, response, connection).catch((error: unknown) => {
      // The client went away, or the sandbox is closing; anything else is a mistake of the sandbox's own.
      if (!closing.aborted && !message.socket.destroyed) console.error('sandbox:', error);
      connection.tcp.destroy();
    });
  };
}
