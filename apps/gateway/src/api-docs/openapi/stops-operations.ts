import type { StopListResponse, StopResponse } from '../../async-stops/stops.controller.js';
import { CURSOR, DEFAULT_LIMIT, MAX_LIMIT } from '../../async-stops/list-request.js';
import type { AcceptedStopResponse } from '../../ingest-tasks/ingest-tasks.controller.js';
import { ASYNC_STOP_STATUSES } from '../../ingest-tasks/stop-backlog.js';
import type { ProblemCode } from '../../problems/problem-table.js';
import {
  CLOUD_REQUEST_ID,
  CLOUD_REQUEST_ID_EXAMPLE,
  failureSchema,
  problemResponses,
  response,
  schemaReference,
  STOP_ID_EXAMPLE,
  TEXT,
} from './responses.js';
import { callerSecurity, REGION, REQUEST_ID_PARAMETER, SDK_APP_ID } from './stop-operation.js';
import type { DocumentConfig, Operation, Schema } from './types.js';

const STOP_ID: Schema = { type: 'string', description: 'The id of the asynchronous stop.' };
const TIME: Schema = { type: 'string', description: 'A time in ISO 8601, UTC.' };

const ACCEPTED_PROPERTIES = {
  id: STOP_ID,
  taskId: TEXT,
  sdkAppId: SDK_APP_ID,
  region: REGION,
  createdAt: TIME,
};

/** The response that accepts a stop. */
export const ACCEPTED_STOP_RESPONSE: Schema = {
  type: 'object',
  required: ['id', 'taskId', 'sdkAppId', 'region', 'status', 'createdAt'],
  properties: {
    ...ACCEPTED_PROPERTIES,
    status: { type: 'string', enum: [...ASYNC_STOP_STATUSES], description: 'Normally `pending`.' },
  } satisfies Record<keyof AcceptedStopResponse, Schema>,
};

export const STOP_RESPONSE: Schema = {
  type: 'object',
  required: ['id', 'taskId', 'sdkAppId', 'region', 'status', 'attempts', 'createdAt'],
  properties: {
    ...ACCEPTED_PROPERTIES,
    status: {
      type: 'string',
      enum: [...ASYNC_STOP_STATUSES],
      description:
        '`pending`: The gateway will stop the task.\n\n`stopped`: The gateway stopped the task.\n\n' +
        '`already-finished`: The task had already ended.\n\n`failed`: The cloud rejected the stop; see `problem`.\n\n' +
        '`expired`: The gateway gave up: no attempt succeeded in time.',
    },
    requestId: CLOUD_REQUEST_ID,
    problem: failureSchema(),
    attempts: { type: 'integer', minimum: 0, description: 'How many times the cloud was called.' },
    finishedAt: TIME,
  } satisfies Record<keyof StopResponse, Schema>,
};

export const STOP_LIST_RESPONSE: Schema = {
  type: 'object',
  required: ['stops'],
  properties: {
    stops: { type: 'array', items: schemaReference('StopResponse') },
    nextCursor: { ...TEXT, description: 'The `cursor` of the next page; absent on the last page.' },
  } satisfies Record<keyof StopListResponse, Schema>,
};

const PROBLEMS_WITH_KEY: readonly ProblemCode[] = [
  'invalid-request',
  'unauthenticated',
  'method-not-allowed',
  'request-timeout',
  'request-header-fields-too-large',
  'internal-error',
  'stops-unavailable',
];

/** `GET /stops/{id}` and `GET /stops`. */
export function stopsOperations(config: DocumentConfig): Record<string, Operation> {
  const security = callerSecurity(config);
  const stop: StopResponse = {
    id: STOP_ID_EXAMPLE,
    taskId: '1234',
    sdkAppId: 1_400_000_001,
    region: config.tencentCloud.defaultRegion,
    status: 'stopped',
    requestId: CLOUD_REQUEST_ID_EXAMPLE,
    attempts: 1,
    createdAt: '2026-01-31T12:00:00.000Z',
    finishedAt: '2026-01-31T12:00:07.250Z',
  };
  const one = { schema: schemaReference('StopResponse'), example: stop };
  const list = { schema: schemaReference('StopListResponse'), example: { stops: [stop] } };
  return {
    'GET /stops/{id}': {
      operationId: 'getStop',
      tags: ['Asynchronous stops'],
      summary: 'Get an asynchronous stop',
      description:
        'Returns a stop that was accepted with `Prefer: respond-async`. Finished stops are kept for 24 hours, and at most ' +
        '10,000 of a caller.',
      security,
      parameters: [{ name: 'id', in: 'path', required: true, schema: STOP_ID }, REQUEST_ID_PARAMETER],
      responses: {
        200: response(
          'The stop. While it is pending, `Retry-After` says when to ask again.',
          { 'application/json': one },
          'Cache-Control',
          'Retry-After',
        ),
        ...problemResponses([...PROBLEMS_WITH_KEY, 'stop-not-found']),
      },
    },
    'GET /stops': {
      operationId: 'listStops',
      tags: ['Asynchronous stops'],
      summary: 'List your asynchronous stops',
      description:
        'Lists pending stops in the order of their creation, then finished stops, the last one first. A page can have ' +
        'fewer stops than `limit` although there are more: only a page without `nextCursor` is the last one.',
      security,
      parameters: [
        {
          name: 'status',
          in: 'query',
          description: 'Only stops with this status.',
          schema: { type: 'string', enum: [...ASYNC_STOP_STATUSES] },
        },
        {
          name: 'limit',
          in: 'query',
          description: 'The maximum number of stops.',
          schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
        },
        {
          name: 'cursor',
          in: 'query',
          description: '`nextCursor` of the page before.',
          schema: { type: 'string', pattern: CURSOR.source },
        },
        REQUEST_ID_PARAMETER,
      ],
      responses: {
        200: response('A page of stops.', { 'application/json': list }, 'Cache-Control'),
        ...problemResponses(PROBLEMS_WITH_KEY),
      },
    },
  };
}
