import type { Action, CallOptions, TencentCloudClient } from './client.js';
import { CloudRefused } from './errors.js';

/** The regions that this action supports. */
export const STOP_STREAM_INGEST_REGIONS = ['ap-bangkok', 'ap-jakarta', 'ap-mumbai', 'ap-singapore'] as const;

/** The task has ended already when the call arrives. */
const TASK_FINISHED = 'FailedOperation.TaskFinished';

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
  write: ({ sdkAppId, taskId }) => ({ SdkAppId: sdkAppId, TaskId: taskId }),
};

/**
 * Stops a pull-stream relay task. A task that has ended already is a success: the state asked for holds.
 *
 * @throws CloudRefused, CloudFailed, CloudTimeout, CloudUnreachable as {@link TencentCloudClient.call} does
 * @see https://www.tencentcloud.com/document/product/647/57834 (StopStreamIngest)
 */
export async function stopStreamIngest(
  client: TencentCloudClient,
  task: RelayTask,
  options: CallOptions,
): Promise<StopResult> {
  try {
    const { RequestId } = await client.call(STOP_STREAM_INGEST, task, options);
    return { status: 'stopped', requestId: RequestId };
  } catch (error) {
    if (error instanceof CloudRefused && error.cloudCode === TASK_FINISHED)
      return { status: 'already-finished', requestId: error.requestId };
    throw error;
  }
}
