import type { Action } from './action.js';
import type { CallOptions, TencentCloudClient } from './client.js';

/** The regions that this action supports. */
export const STOP_STREAM_INGEST_REGIONS = ['ap-bangkok', 'ap-jakarta', 'ap-mumbai', 'ap-singapore'] as const;

export interface RelayTask {
  readonly sdkAppId: number;
  /** Opaque; sent as it is. */
  readonly taskId: string;
}

export interface StopResult {
  readonly status: 'stopped' | 'already-finished';
  /** Tencent's RequestId of the call that said so. */
  readonly requestId: string;
}

const STOP_STREAM_INGEST: Action<RelayTask> = {
  name: 'StopStreamIngest',
  version: '2019-07-22',
  service: 'trtc',
  // The task has ended when the call arrives.
  alreadyDoneCode: 'FailedOperation.TaskFinished',
  serialize: ({ sdkAppId, taskId }) => ({ SdkAppId: sdkAppId, TaskId: taskId }),
};

/**
 * Stops a pull-stream relay task. A task that has ended already is a success: the state asked for holds. If an
 * earlier attempt of this call may have ended it, it is `stopped`.
 *
 * @throws the errors of {@link TencentCloudClient.call}
 * @see https://www.tencentcloud.com/document/product/647/57834 (StopStreamIngest)
 */
export async function stopStreamIngest(
  client: TencentCloudClient,
  task: RelayTask,
  options: CallOptions,
): Promise<StopResult> {
  const { requestId, alreadyDone } = await client.call(STOP_STREAM_INGEST, task, options);
  return { status: alreadyDone ? 'already-finished' : 'stopped', requestId };
}
