import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { IsIn, IsOptional, Matches, ValidateBy, validateSync } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import { type Fault, Problem } from '../problems/problem.js';
import { preferredWait } from './prefer.js';

/** No control characters. Spelled out, because readers of the API's document know no `\p{Cc}`. */
// oxlint-disable-next-line no-control-regex -- they are what it keeps out
export const TASK_ID = /^[^\u0000-\u001F\u007F-\u009F]{1,256}$/u;

const TaskId = (): PropertyDecorator =>
  Matches(TASK_ID, { message: 'must have 1 to 256 characters, none of them a control character' });

const SdkAppId = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'sdkAppId',
      validator: {
        validate: isSdkAppId,
      },
    },
    { message: 'must be given once, as a positive whole number below 2^53' },
  );

/** What a caller says of the task to stop. */
class StopParameters {
  @TaskId()
  readonly id: string;

  @IsOptional()
  @SdkAppId()
  readonly sdkAppId: string | undefined;

  @IsOptional()
  @IsIn(STOP_STREAM_INGEST_REGIONS, { message: 'must be given once, as one of $constraint1' })
  readonly region: string | undefined;

  constructor(id: string, query: Record<string, unknown>) {
    this.id = id;
    // Whether these are strings is for the validators to say: a doubled parameter is a list.
    this.sdkAppId = query['sdkAppId'] as string | undefined;
    this.region = query['region'] as string | undefined;
  }
}

export interface StopRequest {
  readonly taskId: string;
  readonly sdkAppId: number | undefined;
  readonly region: string | undefined;
  /** How long the caller lets the call wait for a slot; undefined when it does not say. */
  readonly waitSeconds: number | undefined;
}

const REGIONS: readonly string[] = STOP_STREAM_INGEST_REGIONS;
const KNOWN_IN_QUERY = new Set(['sdkAppId', 'region']);

/** Every fault of a DELETE of a task. */
export function stopFaults(request: Pick<FastifyRequest, 'params' | 'query' | 'body'>): Fault[] {
  const ofParameters = validateSync(parametersOf(request)).flatMap(({ property, constraints = {} }) =>
    Object.values(constraints).map((message): Fault => ({
      in: property === 'id' ? 'path' : 'query',
      name: property,
      message,
    })),
  );
  const ofUnknown = Object.keys(request.query as object)
    .filter((name) => !KNOWN_IN_QUERY.has(name))
    .map((name): Fault => ({ in: 'query', name, message: 'is not a parameter of this route' }));
  const ofBody: Fault[] = hasBody(request) ? [{ in: 'body', name: '', message: 'must be empty' }] : [];
  return [...ofParameters, ...ofUnknown, ...ofBody];
}

/**
 * Reads a DELETE of a task.
 *
 * @throws Problem `invalid-request` that lists every fault
 */
export function readStopRequest(request: FastifyRequest): StopRequest {
  return readFaultless(request) ?? readWithCare(request);
}

/** The same, whatever the request is like. @throws Problem */
export function readWithCare(request: FastifyRequest): StopRequest {
  const errors = stopFaults(request);
  if (errors.length > 0) throw new Problem('invalid-request', { errors });
  return stopRequest(request, parametersOf(request));
}

/** The request to stop a task, read and checked. */
export const Stop = createParamDecorator((_: unknown, context: ExecutionContext) =>
  readStopRequest(context.switchToHttp().getRequest<FastifyRequest>()),
);

/**
 * The same for a request in which nothing can be at fault, read at a glance; undefined where it takes more than
 * that to tell. The validators take twenty times as long.
 */
export function readFaultless(
  request: Pick<FastifyRequest, 'headers' | 'params' | 'query'>,
): StopRequest | undefined {
  const { headers, query } = request;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return undefined;
  const { id, sdkAppId, region } = parametersOf(request);
  for (const name in query as object) if (!KNOWN_IN_QUERY.has(name)) return undefined;
  if (!TASK_ID.test(id)) return undefined;
  if (sdkAppId !== undefined && !isSdkAppId(sdkAppId)) return undefined;
  if (region !== undefined && !REGIONS.includes(region)) return undefined;
  return stopRequest(request, { id, sdkAppId, region });
}

function isSdkAppId(value: unknown): boolean {
  return typeof value === 'string' && /^[1-9]\d*$/.test(value) && Number.isSafeInteger(Number(value));
}

function stopRequest(
  { headers }: Pick<FastifyRequest, 'headers'>,
  { id, sdkAppId, region }: Pick<StopParameters, 'id' | 'sdkAppId' | 'region'>,
): StopRequest {
  return {
    taskId: id,
    sdkAppId: sdkAppId === undefined ? undefined : Number(sdkAppId),
    region,
    waitSeconds: preferredWait(headers['prefer'] as string | undefined),
  };
}

function hasBody({ body }: Pick<FastifyRequest, 'body'>): boolean {
  return Buffer.isBuffer(body) && body.length > 0;
}

function parametersOf({ params, query }: Pick<FastifyRequest, 'params' | 'query'>): StopParameters {
  return new StopParameters((params as { id?: string }).id ?? '', query as Record<string, unknown>);
}
