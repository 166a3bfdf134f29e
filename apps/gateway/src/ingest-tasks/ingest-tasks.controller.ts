import { Controller, Delete, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IngestTasksService, type StoppedTask } from './ingest-tasks.service.js';
import { Stop, type StopRequest } from './stop-request.js';

@Controller('ingest-tasks')
export class IngestTasksController {
  constructor(private readonly tasks: IngestTasksService) {}

  /** Stops one pull-stream relay task. */
  @Delete(':id')
  stop(
    @Stop() request: StopRequest,
    @Req() { call }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StoppedTask> {
    const { waitSeconds } = request;
    if (waitSeconds !== undefined) void reply.header('preference-applied', `wait=${waitSeconds}`);
    return this.tasks.stop(request, call);
  }
}
