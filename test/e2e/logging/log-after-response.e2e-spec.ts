import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { gatewayFixture } from '../../support/fixtures.js';
import { connectRaw } from '../../support/raw-http.js';

const { sandbox, gateway } = await gatewayFixture({ acceptUnknownTasks: true });

beforeEach(() => {
  gateway.logs.length = 0;
  sandbox.clearReceivedRequests();
  sandbox.setFaults([{ fault: { kind: 'slow', ms: 1500 }, times: 1 }]);
});

afterEach(() => sandbox.setFaults([]));

const request = (id: string, query = '') =>
  `DELETE /ingest-tasks/${id}${query} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n`;

/** The second request is rejected at once, but its response is sent after the one to the first request. */
const sendPipelined = (first: string, second: string) => {
  const connection = connectRaw(gateway.url);
  connection.socket.write(`${request(first)}\r\n${request(second, '?region=mars')}Connection: close\r\n\r\n`);
  return connection;
};

const loggedIds = () =>
  gateway.logs.filter(({ event }) => event === 'stop-completed').map(({ requestId }) => requestId);

describe('the log entry of a stop', () => {
  it('is written after its response, so that pipelined stops are logged in the order of their responses', async () => {
    const { closed } = sendPipelined('slow-1', 'invalid-1');
    expect((await closed).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    await eventually(() => loggedIds().length === 2);
    expect(loggedIds()).toEqual(['slow-1', 'invalid-1']);
  });

  it('is written once when the connection is reset before the response', async () => {
    const { socket, closed } = sendPipelined('slow-2', 'invalid-2');
    await eventually(() => sandbox.receivedRequests().length === 1);
    socket.resetAndDestroy();
    await closed;
    await eventually(() => loggedIds().includes('slow-2'));
    expect(loggedIds()).toEqual(['invalid-2', 'slow-2']);
    expect(gateway.logs.find(({ requestId }) => requestId === 'slow-2')).toMatchObject({
      result: 'stopped',
      clientDisconnected: true,
    });
  });
});
