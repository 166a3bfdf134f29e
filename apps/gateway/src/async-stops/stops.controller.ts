import { Controller, Get, Header, Param, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AsyncStop, AsyncStopStatus } from '../ingest-tasks/stop-backlog.js';
import { ProblemException } from '../problems/problem.exception.js';
import { AsyncStopsService } from './async-stops.service.js';
import { toListRequest, validateListRequest } from './list-request.js';

/** A pending stop changes when its next attempt ends. */
const PENDING_RETRY_AFTER_S = '1';

/** An asynchronous stop, as its caller sees it. */
export interface StopResponse {
  readonly id: string;
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
  readonly status: AsyncStopStatus;
  /** Tencent's RequestId, if the status is `stopped` or `already-finished`. */
  readonly requestId?: string | undefined;
  /** Only if the status is `failed`. */
  readonly problem?: Record<string, unknown> | undefined;
  readonly attempts: number;
  readonly createdAt: string;
  readonly finishedAt?: string | undefined;
}

export interface StopListResponse {
  readonly stops: readonly StopResponse[];
  /** For the next page; absent on the last one. */
  readonly nextCursor?: string | undefined;
}

/** The asynchronous stops of the caller. The stops of others do not exist for it. */
@Controller('stops')
export class StopsController {
  constructor(private readonly stops: AsyncStopsService) {}

  /** @throws ProblemException `stop-not-found` or `stops-unavailable` */
  @Get(':id')
  @Header('cache-control', 'no-store')
  async get(
    @Param('id') id: string,
    @Req() { caller }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StopResponse> {
    const stop = await this.stops.get(caller!.name, id);
    if (stop.status === 'pending') void reply.header('retry-after', PENDING_RETRY_AFTER_S);
    return toResponse(stop);
  }

  /** @throws ProblemException `invalid-request` or `stops-unavailable` */
  @Get()
  @Header('cache-control', 'no-store')
  @RouteConfig({ validate: validateListRequest })
  async list(@Req() request: FastifyRequest): Promise<StopListResponse> {
    const errors = validateListRequest(request);
    if (errors.length > 0) throw new ProblemException('invalid-request', { errors });
    const { stops, nextCursor } = await this.stops.list(request.caller!.name, toListRequest(request));
    return { stops: stops.map(toResponse), nextCursor };
  }
}

function toResponse({ failure, ...stop }: AsyncStop): StopResponse {
  const { id, taskId, sdkAppId, region, status, requestId, attempts, createdAt, finishedAt } = stop;
  return {
    id,
    taskId,
    sdkAppId,
    region,
    status,
    requestId,
    problem: failure && problemOf(id, failure),
    attempts,
    createdAt,
    finishedAt,
  };
}

/** The problem document of a failed stop. Its `instance` is the stop. */
function problemOf(
  id: string,
  { code, ...details }: NonNullable<AsyncStop['failure']>,
): Record<string, unknown> {
  return { ...new ProblemException(code, details).document(id), instance: `/stops/${id}` };
}
