import https from 'node:https';
import { CommonClient } from 'tencentcloud-sdk-nodejs-common';
import { scriptOptions } from '../script.js';

/** Whom the SDK calls, and how. */
export interface SdkOptions {
  readonly port: number;
  readonly ca: string;
  readonly secretId: string;
  readonly secretKey: string;
  /** Whether its profile has an agent with keepAlive; the SDK's default is none. */
  readonly keepAlive: boolean;
}

const HOST = 'trtc.intl.tencentcloudapi.com';

const { port, ca, secretId, secretKey, keepAlive } = scriptOptions() as SdkOptions;
// The SDK signs for a host without a port: it connects to the sandbox, whose certificate has the upstream's name.
const connection = { host: '127.0.0.1', port, servername: HOST, ca };
const agent = new https.Agent({ keepAlive: true, ...connection });
// Node.js uses it where no agent is given; it keeps its default options.
https.globalAgent = new https.Agent({ ...https.globalAgent.options, ...connection });
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

async function stopAtOnce(count: number): Promise<number> {
  return Math.max(...(await Promise.all(Array.from({ length: count }, stop))));
}

// The message is the number of tasks to stop at once. The response is the time until all are stopped.
process.on('message', (count: number) => void stopAtOnce(count).then((ms) => process.send!(ms)));
process.send!('ready');
