import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnswerToGive } from '../contest.js';

/** What a server on node:http costs that looks at nothing and always answers the same. */
const { status, headers, body } = JSON.parse(process.env['ANSWER']!) as AnswerToGive;
const server = createServer((_request, response) => {
  response.writeHead(status, headers);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
