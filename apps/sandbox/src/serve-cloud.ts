import { answerHeaders, edgePage, send } from './cloud-answer.js';
import type { Serve } from './cloud-listener.js';
import { receive } from './cloud-request.js';
import type { Cloud } from './cloud.js';
import type { Network } from './delays.js';
import { performFault } from './perform-fault.js';

export interface Service {
  readonly cloud: Cloud;
  readonly network: Network;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly closing: AbortSignal;
}

/** Carries a request to the cloud and its answer back, or lets the fault happen that the cloud chose. */
export function serveCloud({ cloud, network, now, closing }: Service): Serve {
  const carry: (...trip: Parameters<Serve>) => Promise<void> = async (message, response, connection) => {
    const request = await receive(message);
    // From here on the client may hang up: what has left it arrives all the same.
    await network.travel('request');
    const { answer, fault } = await cloud.arrive(request, connection);
    await network.travel('answer');

    const headersFor = (contentType: string): Record<string, string> =>
      answerHeaders(request, now(), contentType);
    if (!answer) {
      send(response, 404, headersFor('text/html'), edgePage(404, 'Not Found'));
    } else if (fault) {
      const { socket } = message;
      await performFault(fault, {
        response,
        socket,
        tcp: connection.tcp,
        headersFor,
        body: answer.body,
        closing,
      });
    } else {
      send(response, 200, headersFor('application/json'), answer.body);
    }
  };

  return (message, response, connection) => {
    carry(message, response, connection).catch((error: unknown) => {
      // The client went away, or the sandbox is closing; anything else is a mistake of the sandbox's own.
      if (!closing.aborted && !message.socket.destroyed) console.error('sandbox:', error);
      connection.tcp.destroy();
    });
  };
}
