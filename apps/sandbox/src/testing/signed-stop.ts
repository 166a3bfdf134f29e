import Sign from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js';
import type { SandboxCredentials } from '../credentials.js';

export const HOST = 'trtc.intl.tencentcloudapi.com';
export const SDK_APP_ID = 1400000001;

export interface StopCall {
  readonly credentials: SandboxCredentials;
  readonly taskId?: string;
  /** Replaces the usual parameters. */
  readonly body?: string;
  /** UNIX seconds. */
  readonly timestamp?: number;
  readonly service?: string;
}

/** Returns a StopStreamIngest call signed by the official SDK; tests then change parts of it. */
export function signedStop(call: StopCall): { headers: Record<string, string>; body: string } {
  const {
    credentials,
    taskId = 'task-1',
    timestamp = Math.floor(Date.now() / 1000),
    service = 'trtc',
  } = call;
  const body = call.body ?? JSON.stringify({ SdkAppId: SDK_APP_ID, TaskId: taskId });
  const authorization = Sign.default.sign3({
    method: 'POST',
    url: `https://${HOST}/`,
    payload: Buffer.from(body),
    timestamp,
    service,
    secretId: credentials.secretId,
    secretKey: credentials.secretKey,
    multipart: false,
    boundary: '',
    headers: { 'Content-Type': 'application/json' },
  });
  return {
    headers: {
      host: HOST,
      'content-type': 'application/json',
      'x-tc-action': 'StopStreamIngest',
      'x-tc-version': '2019-07-22',
      'x-tc-region': 'ap-singapore',
      'x-tc-timestamp': String(timestamp),
      ...(credentials.token !== undefined && { 'x-tc-token': credentials.token }),
      authorization,
    },
    body,
  };
}
