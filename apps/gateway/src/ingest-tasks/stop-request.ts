import { IsIn, IsOptional, Matches, ValidateBy, validateSync } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import type { ValidationError } from '../http/route-config.js';

/** The route that stops a task, as Fastify registers it. */
export const STOP_ROUTE = '/ingest-tasks/:id';

/** No control characters. Not `\p{Cc}`, which clients generated from the OpenAPI document may not support. */
// oxlint-disable-next-line no-control-regex -- these characters are what the pattern excludes
export const TASK_ID = /^[^\u0000-\u001F\u007F-\u009F]{1,256}$/u;

const ALLOWED_QUERY_PARAMS = new Set(['sdkAppId', 'region']);

const SdkAppId = (): PropertyDecorator =>
  ValidateBy(
    { name: 'sdkAppId', validator: { validate: isSdkAppId } },
    { message: 'must be given once, as a positive whole number below 2^53' },
  );

/** The parameters of a stop, as the caller sent them. */
class StopParameters {
  @Matches(TASK_ID, { message: 'must have 1 to 256 characters, none of them a control character' })
  readonly id: string;

  @IsOptional()
  @SdkAppId()
  readonly sdkAppId: string | undefined;

  @IsOptional()
  @IsIn(STOP_STREAM_INGEST_REGIONS, { message: 'must be given once, as one of $constraint1' })
  readonly region: string | undefined;

  constructor({ params, query }: Pick<FastifyRequest, 'params' | 'query'>) {
    this.id = (params as { id?: string }).id ?? '';
    // Not necessarily strings, which the validators check: a parameter that occurs twice is a list.
    const { sdkAppId, region } = query as { sdkAppId?: string; region?: string };
    this.sdkAppId = sdkAppId;
    this.region = region;
  }
}

/** A validated request to stop a task. */
export interface StopRequest {
  readonly taskId: string;
  /** undefined: the configured default. */
  readonly sdkAppId: number | undefined;
  /** undefined: the configured default. */
  readonly region: string | undefined;
}

/** Lists every error of a request to stop a task. */
export function validateStopRequest(
  request: Pick<FastifyRequest, 'params' | 'query' | 'body'>,
): ValidationError[] {
  const parameterErrors = validateSync(new StopParameters(request)).flatMap(
    ({ property, constraints = {} }) =>
      Object.values(constraints).map((message): ValidationError => ({
        in: property === 'id' ? 'path' : 'query',
        name: property,
        message,
      })),
  );
  const unknownParameters = Object.keys(request.query as object)
    .filter((name) => !ALLOWED_QUERY_PARAMS.has(name))
    .map((name): ValidationError => ({ in: 'query', name, message: 'is not a parameter of this route' }));
  const bodyErrors: ValidationError[] = hasBody(request)
    ? [{ in: 'body', name: '', message: 'must be empty' }]
    : [];
  return [...parameterErrors, ...unknownParameters, ...bodyErrors];
}

/** Returns whether the parameters are valid, without the cost of the errors that {@link validateStopRequest} lists. */
export function hasValidParameters(request: Pick<FastifyRequest, 'params' | 'query'>): boolean {
  const { id, sdkAppId, region } = new StopParameters(request);
  return (
    TASK_ID.test(id) &&
    (sdkAppId === undefined || isSdkAppId(sdkAppId)) &&
    (region === undefined || STOP_STREAM_INGEST_REGIONS.some((one) => one === region))
  );
}

/** @param request a valid one */
export function toStopRequest(request: Pick<FastifyRequest, 'params' | 'query'>): StopRequest {
  const { id, sdkAppId, region } = new StopParameters(request);
  return { taskId: id, sdkAppId: sdkAppId === undefined ? undefined : Number(sdkAppId), region };
}

function isSdkAppId(value: unknown): boolean {
  return typeof value === 'string' && /^[1-9]\d*$/.test(value) && Number.isSafeInteger(Number(value));
}

function hasBody({ body }: Pick<FastifyRequest, 'body'>): boolean {
  return Buffer.isBuffer(body) && body.length > 0;
}
