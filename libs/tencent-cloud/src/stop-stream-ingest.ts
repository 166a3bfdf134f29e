import type { CallOptions, TencentCloudClient } from './client.js';

/** The regions that this action supports. */
export const STOP_STREAM_INGEST_REGIONS = ['ap-bangkok', 'ap-jakarta', 'ap-mumbai', 'ap-singapore'] as const;

export interface RelayTask {
  readonly sdkAppId: number;
  /** Opaque. Sent unchanged. */
  readonly taskId: string;
}

export interface StopResult {
  readonly status: 'stopped' | 'already-finished';
  /** Tencent Cloud's RequestId of the attempt that confirmed the status. */
  readonly requestId: string;
}

const STOP_STREAM_INGEST = {
  name: 'StopStreamIngest',
  version: '2019-07-22',
  service: 'trtc',
  alreadyDoneCode: 'FailedOperation.TaskFinished',
};

/**
 * Stops a pull-stream relay task. A task that has already ended is a success with the status `already-finished`. The
 * status is `stopped` instead if an earlier attempt of the same call may have ended the task.
 *
 * @throws the errors of {@link TencentCloudClient.call}
 * @see https://www.tencentcloud.com/document/product/647/57834 (StopStreamIngest)
 */
export async function stopStreamIngest(
  client: TencentCloudClient,
  { sdkAppId, taskId }: RelayTask,
  options: CallOptions,
): Promise<StopResult> {
  const action = { ...STOP_STREAM_INGEST, parameters: { SdkAppId: sdkAppId, TaskId: taskId } };
  const { requestId, alreadyDone } = await client.call(action, options);
  return { status: alreadyDone ? 'already-finished' : 'stopped', requestId };
}
