import { explain, type ExplainedProblem, OUTCOMES, PROBLEM_CODES } from '../problems/explanations.js';
import type { ProblemCode } from '../problems/problem-table.js';
import { answer, problemAnswers } from './answers.js';
import { OF_PAGES } from './headers.js';
import { requestIdParameter } from './stop-parameters.js';
import { type Operation, type Parameter, reference, type Response, type Schema } from './terms.js';

export const HEALTH: Schema = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', enum: ['ok', 'unavailable'] } },
};

export const EXPLAINED_PROBLEM: Schema = {
  type: 'object',
  required: Object.keys(explain('task-not-found')),
  properties: {
    code: { type: 'string', enum: [...PROBLEM_CODES] },
    type: { type: 'string', description: 'Where this explanation is.' },
    status: { type: 'integer' },
    title: { type: 'string' },
    outcome: { type: 'string', enum: Object.keys(OUTCOMES) },
    outcomeMeaning: { type: 'string' },
    meaning: { type: 'string' },
    whatToDo: { type: 'string' },
  } satisfies Record<keyof ExplainedProblem, Schema>,
};

/** Whatever the route, a request may be malformed, late or too large, have another method, or meet a fault of the gateway's. */
const ANYWHERE: readonly ProblemCode[] = [
  'invalid-request',
  'method-not-allowed',
  'request-timeout',
  'request-header-fields-too-large',
  'internal-error',
];

/** The routes that need no key. */
export const OPEN_OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /livez': open('isAlive', 'Operations', 'Whether the process answers', {
    200: health('ok', 'The event loop turns.'),
  }),
  'GET /readyz': open('isReady', 'Operations', 'Whether to send it traffic', {
    200: health('ok', 'It is configured and takes traffic.'),
    503: health('unavailable', 'It is starting or leaving, or has no valid credentials.'),
  }),
  'GET /metrics': open('getMetrics', 'Operations', 'What it has measured', {
    200: metrics(['text/plain', 'application/openmetrics-text']),
  }),
  'GET /docs': open('getDocs', 'Documentation', 'This description, for people', {
    200: answer('Swagger UI.', 'text/html', { schema: { type: 'string' } }, ...OF_PAGES),
  }),
  'GET /docs/{file}': open(
    'getDocsFile',
    'Documentation',
    'What that page consists of',
    { 200: file(['text/javascript', 'text/css', 'image/png']) },
    [inPath('file', 'The name of a file that the page uses.')],
    ['route-not-found'],
  ),
  'GET /openapi.json': open('getOpenApi', 'Documentation', 'This description, for machines', {
    200: answer(
      'An OpenAPI 3.1 document.',
      'application/json',
      { schema: { type: 'object' } },
      'Cache-Control',
    ),
  }),
  'GET /problems': open('listProblems', 'Documentation', 'All problem codes', {
    200: explanation('Every problem.', {
      type: 'object',
      required: ['problems'],
      properties: { problems: { type: 'array', items: reference('schemas', 'ExplainedProblem') } },
    }),
  }),
  'GET /problems/{code}': open(
    'explainProblem',
    'Documentation',
    'What a problem code means and what to do',
    { 200: explanation('The problem.', reference('schemas', 'ExplainedProblem'), explain('task-not-found')) },
    [{ ...inPath('code', 'The `code` of a problem.'), example: 'task-not-found' }],
    ['route-not-found'],
  ),
};

function open(
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
    responses: { ...responses, ...problemAnswers([...ANYWHERE, ...problems]) },
  };
}

function inPath(name: string, description: string): Parameter {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

function health(status: string, description: string): Response {
  const body = { schema: reference('schemas', 'Health'), example: { status } };
  return answer(description, 'application/json', body, 'Cache-Control');
}

function metrics(types: string[]): Response {
  const description = "Metrics in Prometheus' text format, or as OpenMetrics where `Accept` asks for it.";
  const schema = { type: 'string' };
  return oneOf(types.map((type) => answer(description, type, { schema }, 'Vary', 'Cache-Control')));
}

function file(types: string[]): Response {
  return oneOf(types.map((type) => answer('The file.', type, { schema: {} }, 'Cache-Control')));
}

/** The same answer in one of several types. */
function oneOf([first, ...others]: Response[]): Response {
  return others.reduce((all, { content }) => ({ ...all, content: { ...all.content, ...content } }), first!);
}

/** JSON, or a page where a browser asks. */
function explanation(description: string, schema: Schema, example?: ExplainedProblem): Response {
  const json = answer(
    description,
    'application/json',
    { schema, ...(example && { example }) },
    'Vary',
    ...OF_PAGES,
  );
  return { ...json, content: { ...json.content, 'text/html': { schema: { type: 'string' } } } };
}
