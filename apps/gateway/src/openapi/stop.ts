import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import type { Configuration } from '../config/configuration.js';
import type { StoppedTask } from '../ingest-tasks/ingest-tasks.service.js';
import { PROBLEM_CODES } from '../problems/explanations.js';
import { answer, problemAnswers } from './answers.js';
import { stoppedExample } from './examples.js';
import { stopParameters } from './stop-parameters.js';
import { type Operation, reference, type Schema } from './terms.js';

const STATUSES: Record<StoppedTask['status'], string> = {
  stopped: 'This call stopped the task.',
  'already-finished': 'The task had ended before: the state asked for holds.',
};

/** The body of success. */
export const STOPPED_TASK: Schema = {
  type: 'object',
  required: ['taskId', 'sdkAppId', 'region', 'status', 'requestId'] satisfies (keyof StoppedTask)[],
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
  } satisfies Record<keyof StoppedTask, Schema>,
};

const OF_QUOTA = ['RateLimit', 'RateLimit-Policy'];

/** What the answers tell whose request was looked at. */
const OF_CALL = [...OF_QUOTA, 'Preference-Applied'];

/** Before the key was looked at, or for other methods, nothing is told of the quota; before the query was, not of a wait. */
const TOLD: Readonly<Record<number, readonly string[]>> = {
  400: OF_CALL,
  401: [],
  405: [],
  408: OF_QUOTA,
  413: OF_QUOTA,
  431: [],
};

/** `DELETE /ingest-tasks/{id}`. Every problem of the table can be its answer. */
export function stopOperation(configuration: Configuration): Operation {
  const { defaultRegion, callersFile } = configuration;
  return {
    operationId: 'stopIngestTask',
    tags: ['Ingest tasks'],
    summary: 'Stop a pull-stream relay task',
    description:
      'Repeating the call is always safe: a task that has ended is answered with success. ' +
      'It takes no body. A problem tells by its `outcome` what is known about the task.',
    security: callersFile === undefined ? [{}, { callerKey: [] }] : [{ callerKey: [] }],
    parameters: stopParameters(configuration),
    responses: {
      200: answer(
        'The task does not run any more.',
        'application/json',
        {
          schema: reference('schemas', 'StoppedTask'),
          examples: {
            stopped: { value: stoppedExample(defaultRegion, 'stopped') },
            'already-finished': { value: stoppedExample(defaultRegion, 'already-finished') },
          },
        },
        ...OF_CALL,
      ),
      ...problemAnswers(PROBLEM_CODES, (status) => TOLD[status] ?? OF_CALL),
    },
  };
}
