import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import type { StopTaskResponse } from '../../ingest-tasks/ingest-tasks.controller.js';
import { PROBLEM_CODES } from '../../problems/problem-descriptions.js';
import { response, problemResponses } from './responses.js';
import { stoppedExample } from './examples.js';
import { stopParameters } from './stop-parameters.js';
import { type DocumentConfig, type Operation, reference, type Schema } from './types.js';

const STATUSES: Record<StopTaskResponse['status'], string> = {
  stopped: 'This call stopped the task.',
  'already-finished': 'The task had ended before: the state asked for holds.',
};

/** The body of success. */
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
    requestId: { type: 'string', description: "Tencent's RequestId, needed for locating a problem there." },
  } satisfies Record<keyof StopTaskResponse, Schema>,
};

const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy'];

/** What the answers tell whose request was looked at. */
const STOP_HEADERS = [...RATE_LIMIT_HEADERS, 'Preference-Applied'];

/** Before the key was looked at, or for other methods, nothing is told of the quota; before the query was, not of a wait. */
const STOP_HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  400: STOP_HEADERS,
  401: [],
  405: [],
  408: RATE_LIMIT_HEADERS,
  413: RATE_LIMIT_HEADERS,
  431: [],
};

/** `DELETE /ingest-tasks/{id}`. Every problem of the table can be its answer. */
export function stopOperation(config: DocumentConfig): Operation {
  const { defaultRegion } = config.tencentCloud;
  return {
    operationId: 'stopIngestTask',
    tags: ['Ingest tasks'],
    summary: 'Stop a pull-stream relay task',
    description:
      'Repeating the call is always safe: a task that has ended is answered with success. ' +
      'It takes no body. A problem tells by its `outcome` what is known about the task.',
    security: config.auth.callersFile === undefined ? [{}, { callerKey: [] }] : [{ callerKey: [] }],
    parameters: stopParameters(config),
    responses: {
      200: response(
        'The task does not run any more.',
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
