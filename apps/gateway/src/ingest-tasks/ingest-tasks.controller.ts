import {
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  HttpStatus,
  Req,
  Res,
} from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StopResult } from '#libs/tencent-cloud';
import { IngestTasksService } from './ingest-tasks.service.js';
import { parsePrefer } from './prefer.js';
import { type AsyncStop, StopBacklog } from './stop-backlog.js';
import { type StopRequest, validateStopRequest } from './stop-request.js';
import { StopRequestPipe } from './stop-request.pipe.js';

/** Passes the whole request to a pipe. */
const RequestForPipe = createParamDecorator((_: unknown, context: ExecutionContext) =>
  context.switchToHttp().getRequest<FastifyRequest>(),
);

/** The response to a successful stop. */
export interface StopTaskResponse {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
  readonly status: StopResult['status'];
  /** Tencent's RequestId. */
  readonly requestId: string;
}

/** The response to a stop that was stored. */
export type AcceptedStopResponse = Pick<
  AsyncStop,
  'id' | 'taskId' | 'sdkAppId' | 'region' | 'status' | 'createdAt'
>;

@Controller('ingest-tasks')
export class IngestTasksController {
  constructor(
    private readonly tasks: IngestTasksService,
    private readonly backlog: StopBacklog,
  ) {}

  /**
   * Stops one pull-stream relay task, or with `Prefer: respond-async` stores the stop and executes it later.
   *
   * @throws StopFailedException for every response but 200 and 202
   * @throws StopCancelledError if the client disconnected before the call was sent
   */
  @Delete(':id')
  @RouteConfig({ validate: validateStopRequest })
  async stop(
    @RequestForPipe(StopRequestPipe) stopRequest: StopRequest,
    @Req() { headers, caller, requestContext }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StopTaskResponse | AcceptedStopResponse> {
    const preferences = parsePrefer(headers['prefer'] as string | undefined);
    const { waitSeconds } = preferences;
    if (waitSeconds !== undefined) void reply.header('preference-applied', `wait=${waitSeconds}`);
    const stop = await this.tasks.stop(stopRequest, caller!, preferences, requestContext, this.backlog);
    reply.stopOutcome = stop;
    if (stop.result !== 'accepted')
      return { ...stop.details.task, status: stop.result, requestId: stop.upstream.requestId };
    const { id, taskId, sdkAppId, region, status, createdAt } = stop.stop;
    const applied = waitSeconds === undefined ? 'respond-async' : `respond-async, wait=${waitSeconds}`;
    void reply.code(HttpStatus.ACCEPTED).headers({ 'preference-applied': applied, location: `/stops/${id}` });
    return { id, taskId, sdkAppId, region, status, createdAt };
  }
}
