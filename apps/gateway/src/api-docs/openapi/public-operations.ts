import {
  describeProblem,
  type ProblemDescription,
  OUTCOMES,
  PROBLEM_CODES,
} from '../../problems/problem-descriptions.js';
import type { ProblemCode } from '../../problems/problem-table.js';
import { response, problemResponses } from './responses.js';
import { HTML_HEADERS } from './headers.js';
import { requestIdParameter } from './stop-parameters.js';
import { type Operation, type Parameter, reference, type Response, type Schema } from './types.js';

export const HEALTH: Schema = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', enum: ['ok', 'unavailable'] } },
};

export const PROBLEM_DESCRIPTION: Schema = {
  type: 'object',
  required: Object.keys(describeProblem('task-not-found')),
  properties: {
    code: { type: 'string', enum: [...PROBLEM_CODES] },
    type: { type: 'string', description: 'The address of this description.' },
    status: { type: 'integer' },
    title: { type: 'string' },
    outcome: { type: 'string', enum: Object.keys(OUTCOMES) },
    outcomeMeaning: { type: 'string' },
    meaning: { type: 'string' },
    resolution: { type: 'string' },
  } satisfies Record<keyof ProblemDescription, Schema>,
};

/** The problems that every route can return. */
const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'invalid-request',
  'method-not-allowed',
  'request-timeout',
  'request-header-fields-too-large',
  'internal-error',
];

/** The routes that need no key. */
export const PUBLIC_OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /livez': publicOperation('isAlive', 'Operations', 'Check whether the process responds', {
    200: health('ok', 'The event loop runs.'),
  }),
  'GET /readyz': publicOperation('isReady', 'Operations', 'Check whether the gateway can take traffic', {
    200: health('ok', 'The gateway can take traffic.'),
    503: health('unavailable', 'The gateway is starting or draining, or has no valid credentials.'),
  }),
  'GET /metrics': publicOperation('getMetrics', 'Operations', 'Get all metrics', {
    200: metrics(['text/plain', 'application/openmetrics-text']),
  }),
  'GET /docs': publicOperation('getDocs', 'Documentation', 'Show the API documentation', {
    200: response('Swagger UI.', 'text/html', { schema: { type: 'string' } }, ...HTML_HEADERS),
  }),
  'GET /docs/{file}': publicOperation(
    'getDocsFile',
    'Documentation',
    'Get a file of the API documentation',
    { 200: file(['text/javascript', 'text/css', 'image/png']) },
    [inPath('file', 'The name of a file that the page loads.')],
    ['route-not-found'],
  ),
  'GET /openapi.json': publicOperation('getOpenApi', 'Documentation', 'Get the OpenAPI document', {
    200: response(
      'The OpenAPI 3.1 document.',
      'application/json',
      { schema: { type: 'object' } },
      'Cache-Control',
    ),
  }),
  'GET /problems': publicOperation('listProblems', 'Documentation', 'List all problems', {
    200: descriptionResponse('All problems.', {
      type: 'object',
      required: ['problems'],
      properties: { problems: { type: 'array', items: reference('schemas', 'ProblemDescription') } },
    }),
  }),
  'GET /problems/{code}': publicOperation(
    'describeProblem',
    'Documentation',
    'Get the meaning and the resolution of a problem',
    {
      200: descriptionResponse(
        'The problem.',
        reference('schemas', 'ProblemDescription'),
        describeProblem('task-not-found'),
      ),
    },
    [{ ...inPath('code', 'The `code` of a problem.'), example: 'task-not-found' }],
    ['route-not-found'],
  ),
};

function publicOperation(
  operationId: string,
  tag: string,
  summary: string,
  responses: Record<string, Response>,
  parameters: Parameter[] = [],
  problems: ProblemCode[] = [],
): Operation {
  return {
    operationId,
    tags: [tag],
    summary,
    security: [],
    parameters: [...parameters, requestIdParameter()],
    responses: { ...responses, ...problemResponses([...COMMON_PROBLEMS, ...problems]) },
  };
}

function inPath(name: string, description: string): Parameter {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

function health(status: string, description: string): Response {
  const body = { schema: reference('schemas', 'Health'), example: { status } };
  return response(description, 'application/json', body, 'Cache-Control');
}

function metrics(types: string[]): Response {
  const description = "All metrics in Prometheus' text format, or in OpenMetrics when `Accept` requests it.";
  const schema = { type: 'string' };
  return mergeContent(types.map((type) => response(description, type, { schema }, 'Vary', 'Cache-Control')));
}

function file(types: string[]): Response {
  return mergeContent(types.map((type) => response('The file.', type, { schema: {} }, 'Cache-Control')));
}

/** One response in several media types. */
function mergeContent([first, ...others]: Response[]): Response {
  return others.reduce(
    (merged, { content }) => ({ ...merged, content: { ...merged.content, ...content } }),
    first!,
  );
}

/** JSON, or HTML for browsers. */
function descriptionResponse(description: string, schema: Schema, example?: ProblemDescription): Response {
  const json = response(
    description,
    'application/json',
    { schema, ...(example && { example }) },
    'Vary',
    ...HTML_HEADERS,
  );
  return { ...json, content: { ...json.content, 'text/html': { schema: { type: 'string' } } } };
}
