import { Controller, createParamDecorator, Delete, type ExecutionContext, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StopResult } from '#libs/tencent-cloud';
import { IngestTasksService } from './ingest-tasks.service.js';
import { parsePreferWait } from './prefer.js';
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

@Controller('ingest-tasks')
export class IngestTasksController {
  constructor(private readonly tasks: IngestTasksService) {}

  /**
   * Stops one pull-stream relay task.
   *
   * @throws StopFailedException for every response but 200
   * @throws StopCancelledError if the client disconnected before the call was sent
   */
  @Delete(':id')
  @RouteConfig({ validate: validateStopRequest })
  async stop(
    @RequestForPipe(StopRequestPipe) stopRequest: StopRequest,
    @Req() { headers, caller, requestContext }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StopTaskResponse> {
    const waitSeconds = parsePreferWait(headers['prefer'] as string | undefined);
    if (waitSeconds !== undefined) void reply.header('preference-applied', `wait=${waitSeconds}`);
    const stop = await this.tasks.stop(stopRequest, caller!, waitSeconds, requestContext);
    reply.stopOutcome = stop;
    return { ...stop.details.task, status: stop.result, requestId: stop.upstream.requestId };
  }
}
