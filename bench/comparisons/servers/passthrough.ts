import { createServer } from 'node:http';
import https from 'node:https';
import { listen } from '../../../test/support/free-port.js';
import { scriptOptions } from '../script.js';
import type { SandboxAddress } from './sandbox.js';

/** The least that a server between a caller and the upstream does: one request over a connection kept alive. */
const { httpsUrl, ca } = scriptOptions() as SandboxAddress;
const agent = new https.Agent({ keepAlive: true, ca });
const headers = {
  'content-type': 'application/json',
  'x-tc-action': 'StopStreamIngest',
  'x-tc-version': '2019-07-22',
  'x-tc-region': 'ap-singapore',
  'x-tc-timestamp': '0',
  // The upstream rejects it at once: the fastest response that it has.
  authorization: 'none',
};
const server = createServer((_request, response) => {
  const outgoing = https.request(httpsUrl, { method: 'POST', agent, headers }, (upstream) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    upstream.pipe(response);
  });
  outgoing.end('{}');
});
process.send!(await listen(server));
