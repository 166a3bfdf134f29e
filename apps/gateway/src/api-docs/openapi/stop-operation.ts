import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import { REQUEST_ID } from '../../http/request-context.js';
import type { AcceptedStopResponse, StopTaskResponse } from '../../ingest-tasks/ingest-tasks.controller.js';
import { MAX_WAIT_S } from '../../ingest-tasks/prefer.js';
import { TASK_ID } from '../../ingest-tasks/stop-request.js';
import { PROBLEM_CODES, type ProblemCode } from '../../problems/problem-table.js';
import {
  CLOUD_REQUEST_ID,
  CLOUD_REQUEST_ID_EXAMPLE,
  problemResponses,
  response,
  schemaReference,
  STOP_ID_EXAMPLE,
  TEXT,
} from './responses.js';
import type { DocumentConfig, Operation, Parameter, Schema } from './types.js';

export const SDK_APP_ID: Schema = { type: 'integer', format: 'int64' };
export const REGION: Schema = { type: 'string', enum: [...STOP_STREAM_INGEST_REGIONS] };

export const STOP_TASK_RESPONSE: Schema = {
  type: 'object',
  required: ['taskId', 'sdkAppId', 'region', 'status', 'requestId'],
  properties: {
    taskId: TEXT,
    sdkAppId: SDK_APP_ID,
    region: REGION,
    status: {
      type: 'string',
      enum: ['stopped', 'already-finished'],
      description: '`stopped`: The call stopped the task.\n\n`already-finished`: The task had already ended.',
    },
    requestId: CLOUD_REQUEST_ID,
  } satisfies Record<keyof StopTaskResponse, Schema>,
};

const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy'];

const STOP_HEADERS = [...RATE_LIMIT_HEADERS, 'Preference-Applied'];

/** RateLimit headers require a valid key on the stop route; `Preference-Applied` requires that `Prefer` was read. */
const STOP_HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  401: [],
  405: [],
  408: RATE_LIMIT_HEADERS,
  413: RATE_LIMIT_HEADERS,
  431: [],
};

/** The parameter of every route. */
export const REQUEST_ID_PARAMETER: Parameter = {
  name: 'X-Request-Id',
  in: 'header',
  description:
    'Your id for this request: 1 to 128 visible ASCII characters. The gateway replaces any other value. ' +
    'The response and the log entry contain it.',
  schema: { type: 'string', pattern: REQUEST_ID.source },
};

/** The problems of `GET /stops` and `GET /stops/{id}`. */
const PROBLEMS_OF_STOPS: ReadonlySet<ProblemCode> = new Set(['stop-not-found', 'stops-unavailable']);

/** A key is not required if the gateway accepts anonymous callers. */
export function callerSecurity(config: DocumentConfig): NonNullable<Operation['security']> {
  return config.auth.callersFile === undefined ? [{}, { callerKey: [] }] : [{ callerKey: [] }];
}

/** `DELETE /ingest-tasks/{id}`, which can return every problem of stops. */
export function stopOperation(config: DocumentConfig): Operation {
  const example = (status: StopTaskResponse['status']): { value: StopTaskResponse } => ({
    value: {
      taskId: '1234',
      sdkAppId: 1_400_000_001,
      region: config.tencentCloud.defaultRegion,
      status,
      requestId: CLOUD_REQUEST_ID_EXAMPLE,
    },
  });
  const body = {
    schema: schemaReference('StopTaskResponse'),
    examples: { stopped: example('stopped'), 'already-finished': example('already-finished') },
  };
  const acceptedExample: AcceptedStopResponse = {
    id: STOP_ID_EXAMPLE,
    taskId: '1234',
    sdkAppId: 1_400_000_001,
    region: config.tencentCloud.defaultRegion,
    status: 'pending',
    createdAt: '2026-01-31T12:00:00.000Z',
  };
  const accepted = { schema: schemaReference('AcceptedStopResponse'), example: acceptedExample };
  const problems = PROBLEM_CODES.filter((code) => !PROBLEMS_OF_STOPS.has(code));
  return {
    operationId: 'stopIngestTask',
    tags: ['Ingest tasks'],
    summary: 'Stop a pull-stream relay task',
    description:
      'A retry is always safe: the response is 200 if the task has already ended. The request has no body. ' +
      'In an error response, `outcome` says what is known about the task.',
    security: callerSecurity(config),
    parameters: stopParameters(config),
    responses: {
      200: response('The task has ended.', { 'application/json': body }, ...STOP_HEADERS),
      202: response(
        'The stop was stored, and the gateway will execute it. `Location` is the path of the stop.',
        { 'application/json': accepted },
        ...STOP_HEADERS,
        'Location',
      ),
      ...problemResponses(problems, (status) => STOP_HEADERS_BY_STATUS[status] ?? STOP_HEADERS),
    },
  };
}

/** The parameters of a stop, with the patterns that the gateway checks and the configured defaults. */
function stopParameters({
  tencentCloud: { defaultRegion },
  quota: { defaultWaitMs },
}: DocumentConfig): Parameter[] {
  return [
    {
      name: 'id',
      in: 'path',
      required: true,
      description:
        'The TaskId. It is opaque and case-sensitive, and has 1 to 256 characters after percent-decoding, none of them a ' +
        'control character. Write `/` as `%2F`. A `+` is a plus sign.',
      schema: { type: 'string', pattern: TASK_ID.source },
    },
    {
      name: 'sdkAppId',
      in: 'query',
      description:
        'The SdkAppId that the task belongs to. Default: the SdkAppId in the configuration of the gateway.',
      schema: { ...SDK_APP_ID, minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    },
    {
      name: 'region',
      in: 'query',
      description: 'The region of the cloud that receives the call.',
      schema: { ...REGION, default: defaultRegion },
    },
    {
      name: 'Prefer',
      in: 'header',
      description:
        `\`wait=<seconds>\`: how long the call may wait for a quota slot, at most ${MAX_WAIT_S} seconds ` +
        '([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240)). Invalid preferences are ignored. ' +
        (defaultWaitMs === 0
          ? 'By default, the call does not wait.'
          : `By default, the call waits for up to ${defaultWaitMs / 1000} s.`) +
        '\n\n`respond-async`: the gateway stores the stop, responds with 202, and executes the stop later. With `wait`, ' +
        'it responds with the result if the stop finishes in time. If it cannot store the stop, the call is synchronous, ' +
        'and the response has no `Preference-Applied: respond-async`. If Redis did not respond in time, the stop may have ' +
        'been stored nevertheless. The gateway then also executes it later, whatever `outcome` the response has.',
      schema: TEXT,
    },
    REQUEST_ID_PARAMETER,
    {
      name: 'traceparent',
      in: 'header',
      description:
        'The trace that the call belongs to ([W3C](https://www.w3.org/TR/trace-context/)). It is not sent to the cloud.',
      schema: TEXT,
    },
  ];
}
