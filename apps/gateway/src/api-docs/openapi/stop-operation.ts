import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import type { StopTaskResponse } from '../../ingest-tasks/ingest-tasks.controller.js';
import { PROBLEM_CODES } from '../../problems/problem-descriptions.js';
import { response, problemResponses } from './responses.js';
import { stoppedExample } from './examples.js';
import { stopParameters } from './stop-parameters.js';
import { type DocumentConfig, type Operation, reference, type Schema } from './types.js';

const STATUSES: Record<StopTaskResponse['status'], string> = {
  stopped: 'The call stopped the task.',
  'already-finished': 'The task had already ended.',
};

/** The body of a successful response. */
export const STOP_TASK_RESPONSE: Schema = {
  type: 'object',
  required: ['taskId', 'sdkAppId', 'region', 'status', 'requestId'] satisfies (keyof StopTaskResponse)[],
  properties: {
    taskId: { type: 'string' },
    sdkAppId: { type: 'integer', format: 'int64' },
    region: { type: 'string', enum: [...STOP_STREAM_INGEST_REGIONS] },
    status: {
      type: 'string',
      enum: Object.keys(STATUSES),
      description: Object.entries(STATUSES)
        .map(([status, meaning]) => `\`${status}\`: ${meaning}`)
        .join('\n\n'),
    },
    requestId: { type: 'string', description: "Tencent's RequestId, for support requests to Tencent." },
  } satisfies Record<keyof StopTaskResponse, Schema>,
};

const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy'];

/** Headers of responses to validated requests. */
const STOP_HEADERS = [...RATE_LIMIT_HEADERS, 'Preference-Applied'];

/** RateLimit headers require a valid key on the stop route; `Preference-Applied` requires that `Prefer` was read. */
const STOP_HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  400: STOP_HEADERS,
  401: [],
  405: [],
  408: RATE_LIMIT_HEADERS,
  413: RATE_LIMIT_HEADERS,
  431: [],
};

/** `DELETE /ingest-tasks/{id}`, which can return every problem. */
export function stopOperation(config: DocumentConfig): Operation {
  const { defaultRegion } = config.tencentCloud;
  return {
    operationId: 'stopIngestTask',
    tags: ['Ingest tasks'],
    summary: 'Stop a pull-stream relay task',
    description:
      'A retry is always safe: the response is 200 if the task has already ended. The request has no body. ' +
      'In an error response, `outcome` says what is known about the task.',
    security: config.auth.callersFile === undefined ? [{}, { callerKey: [] }] : [{ callerKey: [] }],
    parameters: stopParameters(config),
    responses: {
      200: response(
        'The task has ended.',
        'application/json',
        {
          schema: reference('schemas', 'StopTaskResponse'),
          examples: {
            stopped: { value: stoppedExample(defaultRegion, 'stopped') },
            'already-finished': { value: stoppedExample(defaultRegion, 'already-finished') },
          },
        },
        ...STOP_HEADERS,
      ),
      ...problemResponses(PROBLEM_CODES, (status) => STOP_HEADERS_BY_STATUS[status] ?? STOP_HEADERS),
    },
  };
}
