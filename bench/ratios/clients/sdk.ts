import https from 'node:https';
import { CommonClient } from 'tencentcloud-sdk-nodejs-common';

/** Where the SDK is to call. */
export interface SdkOrder {
  readonly port: number;
  readonly ca: string;
  readonly secretId: string;
  readonly secretKey: string;
  /** An agent with keepAlive in its profile; else as it comes, without one. */
  readonly keepAlive: boolean;
}

const HOST = 'trtc.intl.tencentcloudapi.com';

const { port, ca, secretId, secretKey, keepAlive } = JSON.parse(process.env['SDK']!) as SdkOrder;
// Led to the sandbox, which has a certificate for the cloud's name: the SDK signs for a host without a port.
const there = { host: '127.0.0.1', port, servername: HOST, ca };
const agent = new https.Agent({ keepAlive: true, ...there });
// What Node.js uses where no agent is given, with its own options.
https.globalAgent = new https.Agent({ ...https.globalAgent.options, ...there });
const client = new CommonClient(HOST, '2019-07-22', {
  credential: { secretId, secretKey },
  region: 'ap-singapore',
  profile: { httpProfile: { endpoint: HOST, ...(keepAlive && { agent }) } },
});

let number = 0;

async function stop(): Promise<number> {
  number += 1;
  const startedAt = performance.now();
  await client.request('StopStreamIngest', { SdkAppId: 1400000001, TaskId: `sdk-${keepAlive}-${number}` });
  return performance.now() - startedAt;
}

process.on('message', () => void stop().then((ms) => process.send!(ms)));
process.send!('ready');
