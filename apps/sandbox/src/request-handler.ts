import type { RequestHandler } from './cloud-listener.js';
import { readRequest } from './cloud-request.js';
import { edgePage, responseHeaders, sendResponse } from './cloud-response.js';
import type { Cloud } from './cloud.js';
import type { Network } from './delays.js';
import { injectFault } from './inject-fault.js';

export interface RequestHandlerOptions {
  readonly cloud: Cloud;
  readonly network: Network;
  /** Wall clock, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly closing: AbortSignal;
}

/** Passes requests to the cloud, and sends its response or injects the fault that the cloud chose. */
export function createRequestHandler(options: RequestHandlerOptions): RequestHandler {
  const { cloud, network, now, closing } = options;
  const handle: (...args: Parameters<RequestHandler>) => Promise<void> = async (
    message,
    response,
    connection,
  ) => {
    const request = await readRequest(message);
    // From here on the request arrives even if the client disconnects.
    await network.delay('request');
    const { response: normal, fault } = await cloud.handle(request, connection);
    await network.delay('response');

    const headersFor = (contentType: string): Record<string, string> =>
      responseHeaders(request, now(), contentType);
    if (!normal) {
      sendResponse(response, 404, headersFor('text/html'), edgePage(404, 'Not Found'));
    } else if (fault) {
      const { tcp } = connection;
      const { socket } = message;
      await injectFault(fault, { response, socket, tcp, headersFor, body: normal.body, closing });
    } else {
      sendResponse(response, 200, headersFor('application/json'), normal.body);
    }
  };

  return (message, response, connection) => {
    handle(message, response, connection).catch((error: unknown) => {
      // Without a disconnect or a shutdown, the error is a bug of the sandbox.
      if (!closing.aborted && !message.socket.destroyed) console.error('sandbox:', error);
      connection.tcp.destroy();
    });
  };
}
