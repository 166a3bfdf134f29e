import { createRequire } from 'node:module';
import type { Oas3_1Definition } from '@redocly/openapi-core';
import { NOT_READY_REASONS } from '../../lifecycle/lifecycle.js';
import {
  describeProblem,
  OUTCOMES,
  PROBLEM_CODES,
  type ProblemCode,
  type ProblemDescription,
} from '../../problems/problem-table.js';

import { headerComponents } from './headers.js';
import { problemResponses, problemSchemas, response, schemaReference, TEXT } from './responses.js';
import { REQUEST_ID_PARAMETER, STOP_TASK_RESPONSE, stopOperation } from './stop-operation.js';
import {
  ACCEPTED_STOP_RESPONSE,
  STOP_LIST_RESPONSE,
  STOP_RESPONSE,
  stopsOperations,
} from './stops-operations.js';
import type { DocumentConfig, Operation, Parameter, Response, Schema } from './types.js';

const { version, license } = createRequire(import.meta.url)('#package.json') as Record<string, string>;

const TAGS = [
  { name: 'Ingest tasks', description: 'Pull-stream relay tasks of Tencent RTC.' },
  {
    name: 'Asynchronous stops',
    description: 'Stops that were accepted with `Prefer: respond-async`.',
  },
  { name: 'Operations', description: 'For load balancers, Kubernetes and Prometheus. No key is required.' },
  { name: 'Documentation', description: 'For callers. No key is required.' },
];

const HEALTH: Schema = {
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['ok', 'unavailable'] },
    reasons: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', enum: [...NOT_READY_REASONS] },
      description: 'Why the gateway cannot take traffic; present if `status` is `unavailable`.',
    },
  },
};

const PROBLEM_DESCRIPTION: Schema = {
  type: 'object',
  required: Object.keys(describeProblem('task-not-found')),
  properties: {
    code: { type: 'string', enum: [...PROBLEM_CODES] },
    type: { type: 'string', description: 'The address of this description.' },
    status: { type: 'integer' },
    title: TEXT,
    outcome: { type: 'string', enum: Object.keys(OUTCOMES) },
    outcomeMeaning: TEXT,
    meaning: TEXT,
    resolution: TEXT,
  } satisfies Record<keyof ProblemDescription, Schema>,
};

const PROBLEM_LIST: Schema = {
  type: 'object',
  required: ['problems'],
  properties: { problems: { type: 'array', items: schemaReference('ProblemDescription') } },
};

/** The problems that every route can return. */
const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'invalid-request',
  'method-not-allowed',
  'request-timeout',
  'request-header-fields-too-large',
  'internal-error',
];

const TEXT_BODY = { schema: TEXT };

/** The routes that need no key. */
const PUBLIC_OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /livez': publicOperation('isAlive', 'Operations', 'Check whether the process responds', {
    200: health({ status: 'ok' }, 'The event loop runs.'),
  }),
  'GET /readyz': publicOperation('isReady', 'Operations', 'Check whether the gateway can take traffic', {
    200: health({ status: 'ok' }, 'The gateway can take traffic.'),
    503: health(
      { status: 'unavailable', reasons: ['redis-never-reached'] },
      'The gateway is starting or draining, has no valid credentials, or has not reached Redis since its start.',
    ),
  }),
  'GET /metrics': publicOperation('getMetrics', 'Operations', 'Get all metrics', {
    200: response(
      "All metrics in Prometheus' text format, or in OpenMetrics when `Accept` requests it.",
      { 'text/plain': TEXT_BODY, 'application/openmetrics-text': TEXT_BODY },
      'Vary',
      'Cache-Control',
    ),
  }),
  'GET /docs': publicOperation('getDocs', 'Documentation', 'Show the API documentation', {
    200: response('Swagger UI.', { 'text/html': TEXT_BODY }, 'Cache-Control'),
  }),
  'GET /docs/{file}': publicOperation(
    'getDocsFile',
    'Documentation',
    'Get a file of the API documentation',
    {
      200: response(
        'The file.',
        { 'text/javascript': TEXT_BODY, 'text/css': TEXT_BODY, 'image/png': { schema: {} } },
        'Cache-Control',
      ),
    },
    { name: 'file', in: 'path', description: 'The name of a file that the page loads.' },
  ),
  'GET /openapi.json': publicOperation('getOpenApi', 'Documentation', 'Get the OpenAPI document', {
    200: response('The document.', { 'application/json': { schema: { type: 'object' } } }, 'Cache-Control'),
  }),
  'GET /problems': publicOperation('listProblems', 'Documentation', 'List all problems', {
    200: response(
      'All problems.',
      { 'application/json': { schema: PROBLEM_LIST }, 'text/html': TEXT_BODY },
      'Vary',
      'Cache-Control',
    ),
  }),
  'GET /problems/{code}': publicOperation(
    'describeProblem',
    'Documentation',
    'Get the meaning and the resolution of a problem',
    {
      200: response(
        'The problem.',
        {
          'application/json': {
            schema: schemaReference('ProblemDescription'),
            example: describeProblem('task-not-found'),
          },
          'text/html': TEXT_BODY,
        },
        'Vary',
        'Cache-Control',
      ),
    },
    { name: 'code', in: 'path', description: 'The `code` of a problem.', example: 'task-not-found' },
  ),
};

/**
 * Creates the OpenAPI document from the routes, the problem table, the validation rules and the configured defaults.
 *
 * @param routes as Fastify registers them, such as `DELETE /ingest-tasks/:id`
 * @throws Error that names a route without a description
 */
export function createDocument(routes: readonly string[], config: DocumentConfig): Oas3_1Definition {
  const operations: Record<string, Operation> = {
    'DELETE /ingest-tasks/{id}': stopOperation(config),
    ...stopsOperations(config),
    ...PUBLIC_OPERATIONS,
  };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const [method = '', path = ''] = route.replaceAll(/:(\w+)/g, '{$1}').split(' ');
    // Every GET route has a HEAD route.
    if (method === 'HEAD') continue;
    const operation = operations[`${method} ${path}`];
    if (!operation) throw new Error(`${method} ${path} is not described in openapi/`);
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Ingest gateway',
      version: version!,
      license: { name: license!, url: 'https://opensource.org/license/mit' },
      description:
        "Stops pull-stream relay tasks of Tencent RTC within the cloud's quota. Every error response is a problem document " +
        '(RFC 9457): `outcome` says what is known about the task, and [`code`](problems) says what to do.',
    },
    servers: [{ url: '/', description: 'This gateway.' }],
    tags: TAGS,
    paths,
    components: {
      headers: headerComponents(config),
      schemas: {
        StopTaskResponse: STOP_TASK_RESPONSE,
        AcceptedStopResponse: ACCEPTED_STOP_RESPONSE,
        StopResponse: STOP_RESPONSE,
        StopListResponse: STOP_LIST_RESPONSE,
        Health: HEALTH,
        ProblemDescription: PROBLEM_DESCRIPTION,
        ...problemSchemas(),
      },
      securitySchemes: {
        callerKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'The key that you received from the operators of the gateway: `Authorization: Bearer <key>`.',
        },
      },
    },
  };
}

/** @param parameter of the path; the route does not exist for some of its values */
function publicOperation(
  operationId: string,
  tag: string,
  summary: string,
  responses: Record<string, Response>,
  parameter?: Parameter,
): Operation {
  const problems = parameter ? [...COMMON_PROBLEMS, 'route-not-found' as const] : COMMON_PROBLEMS;
  return {
    operationId,
    tags: [tag],
    summary,
    security: [],
    parameters: [
      ...(parameter ? [{ ...parameter, required: true, schema: TEXT }] : []),
      REQUEST_ID_PARAMETER,
    ],
    responses: { ...responses, ...problemResponses(problems) },
  };
}

function health(example: object, description: string): Response {
  const body = { schema: schemaReference('Health'), example };
  return response(description, { 'application/json': body }, 'Cache-Control');
}
