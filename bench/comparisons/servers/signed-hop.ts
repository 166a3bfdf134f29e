import { createServer } from 'node:http';
import https from 'node:https';
import { listen } from '../../../test/support/free-port.js';
import { canonicalHead, SigningKeyCache, signRequest } from '#libs/tc3';
import { scriptOptions } from '../script.js';
import type { SandboxAddress } from './sandbox.js';

/** The least that a gateway does for a stop: it signs one request and sends it over a connection kept alive. */
const { httpsUrl, ca, secretId, secretKey } = scriptOptions() as SandboxAddress;
const CONTENT_TYPE = 'application/json';
const agent = new https.Agent({ keepAlive: true, ca });
const head = canonicalHead(new URL(httpsUrl).host, CONTENT_TYPE);
const keys = new SigningKeyCache();
const server = createServer((request, response) => {
  const taskId = request.url!.slice('/ingest-tasks/'.length);
  const payload = JSON.stringify({ SdkAppId: 1400000001, TaskId: taskId });
  const timestamp = Math.floor(Date.now() / 1000);
  const headers = {
    'content-type': CONTENT_TYPE,
    'x-tc-action': 'StopStreamIngest',
    'x-tc-version': '2019-07-22',
    'x-tc-region': 'ap-singapore',
    'x-tc-timestamp': String(timestamp),
    authorization: signRequest({ head, payload, service: 'trtc' }, { secretId, secretKey }, timestamp, keys),
  };
  const outgoing = https.request(httpsUrl, { method: 'POST', agent, headers }, (upstream) => {
    response.writeHead(upstream.statusCode!, { 'content-type': CONTENT_TYPE });
    upstream.pipe(response);
  });
  outgoing.end(payload);
});
// A stall of a busy machine must not end a connection.
server.keepAliveTimeout = 60_000;
process.send!(await listen(server));
