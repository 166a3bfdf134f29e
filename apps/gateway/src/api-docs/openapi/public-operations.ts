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
    type: { type: 'string', description: 'Where this explanation is.' },
    status: { type: 'integer' },
    title: { type: 'string' },
    outcome: { type: 'string', enum: Object.keys(OUTCOMES) },
    outcomeMeaning: { type: 'string' },
    meaning: { type: 'string' },
    resolution: { type: 'string' },
  } satisfies Record<keyof ProblemDescription, Schema>,
};

/** Whatever the route, a request may be malformed, late or too large, have another method, or meet a fault of the gateway's. */
const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'invalid-request',
  'method-not-allowed',
  'request-timeout',
  'request-header-fields-too-large',
  'internal-error',
];

/** The routes that need no key. */
export const PUBLIC_OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /livez': publicOperation('isAlive', 'Operations', 'Whether the process answers', {
    200: health('ok', 'The event loop turns.'),
  }),
  'GET /readyz': publicOperation('isReady', 'Operations', 'Whether to send it traffic', {
    200: health('ok', 'It is configured and takes traffic.'),
    503: health('unavailable', 'It is starting or leaving, or has no valid credentials.'),
  }),
  'GET /metrics': publicOperation('getMetrics', 'Operations', 'What it has measured', {
    200: metrics(['text/plain', 'application/openmetrics-text']),
  }),
  'GET /docs': publicOperation('getDocs', 'Documentation', 'This description, for people', {
    200: response('Swagger UI.', 'text/html', { schema: { type: 'string' } }, ...HTML_HEADERS),
  }),
  'GET /docs/{file}': publicOperation(
    'getDocsFile',
    'Documentation',
    'What that page consists of',
    { 200: file(['text/javascript', 'text/css', 'image/png']) },
    [inPath('file', 'The name of a file that the page uses.')],
    ['route-not-found'],
  ),
  'GET /openapi.json': publicOperation('getOpenApi', 'Documentation', 'This description, for machines', {
    200: response(
      'An OpenAPI 3.1 document.',
      'application/json',
      { schema: { type: 'object' } },
      'Cache-Control',
    ),
  }),
  'GET /problems': publicOperation('listProblems', 'Documentation', 'All problem codes', {
    200: explanation('Every problem.', {
      type: 'object',
      required: ['problems'],
      properties: { problems: { type: 'array', items: reference('schemas', 'ProblemDescription') } },
    }),
  }),
  'GET /problems/{code}': publicOperation(
    'explainProblem',
    'Documentation',
    'What a problem code means and what to do',
    {
      200: explanation(
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
  const description = "Metrics in Prometheus' text format, or as OpenMetrics where `Accept` asks for it.";
  const schema = { type: 'string' };
  return oneOf(types.map((type) => response(description, type, { schema }, 'Vary', 'Cache-Control')));
}

function file(types: string[]): Response {
  return oneOf(types.map((type) => response('The file.', type, { schema: {} }, 'Cache-Control')));
}

/** The same answer in one of several types. */
function oneOf([first, ...others]: Response[]): Response {
  return others.reduce((all, { content }) => ({ ...all, content: { ...all.content, ...content } }), first!);
}

/** JSON, or a page where a browser asks. */
function explanation(description: string, schema: Schema, example?: ProblemDescription): Response {
  const json = response(
    description,
    'application/json',
    { schema, ...(example && { example }) },
    'Vary',
    ...HTML_HEADERS,
  );
  return { ...json, content: { ...json.content, 'text/html': { schema: { type: 'string' } } } };
}
