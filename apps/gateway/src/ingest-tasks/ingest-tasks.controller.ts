import { Controller, Delete, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { IngestTasksService, type StoppedTask } from './ingest-tasks.service.js';
import { Stop, type StopRequest } from './stop-request.js';

@Controller('ingest-tasks')
export class IngestTasksController {
  constructor(private readonly tasks: IngestTasksService) {}

  /** Stops one pull-stream relay task. */
  @Delete(':id')
  stop(@Stop() request: StopRequest, @Req() { call, signal }: FastifyRequest): Promise<StoppedTask> {
    return this.tasks.stop(request, call, signal);
  }
}
