import { createServer } from 'node:http';
import { listen } from '../../../test/support/free-port.js';
import type { RecordedResponse } from '../compare.js';
import { scriptOptions } from '../script.js';

/** node:http alone: it ignores the request and repeats one response. */
const { status, headers, body } = scriptOptions() as RecordedResponse;
const server = createServer((_request, response) => {
  response.writeHead(status, headers);
  response.end(body);
});
process.send!(await listen(server));
