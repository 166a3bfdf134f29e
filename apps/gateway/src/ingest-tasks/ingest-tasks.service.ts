import { Injectable } from '@nestjs/common';
import { Quota } from '#libs/quota';
import { type StopResult, stopStreamIngest, TencentCloudClient } from '#libs/tencent-cloud';
import type { CallRecord } from '../call-record.js';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { stopProblem } from '../problems/stop-problem.js';
import type { StopRequest } from './stop-request.js';

/** The answer to a successful DELETE. */
export interface StoppedTask {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
  readonly status: StopResult['status'];
  readonly requestId: string;
}

/** Stops tasks: the quota lends a slot, the cloud client carries the call. */
@Injectable()
export class IngestTasksService {
  constructor(
    private readonly quota: Quota,
    private readonly cloud: TencentCloudClient,
    @InjectConfiguration() private readonly configuration: Configuration,
  ) {}

  /**
   * @param call is told what becomes of the call
   * @throws Problem of the table
   */
  async stop(request: StopRequest, call: CallRecord): Promise<StoppedTask> {
    const {
      taskId,
      sdkAppId = this.configuration.defaultSdkAppId,
      region = this.configuration.defaultRegion,
    } = request;
    call.task = { taskId, sdkAppId, region };
    try {
      const admit = () => this.quota.take();
      const { status, requestId } = await stopStreamIngest(
        this.cloud,
        { taskId, sdkAppId },
        { region, admit },
      );
      Object.assign(call, { result: status, outcome: 'stopped', upstream: { code: 'OK', requestId } });
      return { taskId, sdkAppId, region, status, requestId };
    } catch (error) {
      throw stopProblem(error, request.sdkAppId !== undefined);
    }
  }
}
