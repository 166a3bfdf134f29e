import { CloudRejectedError, DOCUMENTED_CODES } from '#libs/tencent-cloud';
import { FINAL_CODES } from '../../async-stops/final-codes.js';
import { ERROR_LOCATIONS } from '../../http/route-config.js';
import { validateStopRequest } from '../../ingest-tasks/stop-request.js';
import { toProblem } from '../../ingest-tasks/to-problem.js';
import { ProblemException } from '../../problems/problem.exception.js';
import { OUTCOMES, PROBLEM_CODES, PROBLEMS, type ProblemCode } from '../../problems/problem-table.js';
import type { Response, Schema } from './types.js';

export const REQUEST_ID_EXAMPLE = '0f8fad5b-d9cb-469f-a165-70867728950e';
export const STOP_ID_EXAMPLE = '019bf3f2-8d00-7c3a-9a56-0f2f5b8f6d11';
export const CLOUD_REQUEST_ID_EXAMPLE = '71993312-6ab8-4768-9124-118e0a20c45f';

export const TEXT: Schema = { type: 'string' };

export const CLOUD_REQUEST_ID: Schema = {
  ...TEXT,
  description: "Tencent's RequestId, for support requests to Tencent.",
};

const COMMON_HEADERS = ['X-Request-Id', 'X-Content-Type-Options', 'Connection'];

/** Headers of the problems with a status. */
const HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

const REJECTIONS = DOCUMENTED_CODES.map((code) =>
  toProblem(new CloudRejectedError(code, CLOUD_REQUEST_ID_EXAMPLE), true),
);

export function schemaReference(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** A response with a body in one of several media types, and with these headers in addition to the common ones. */
export function response(
  description: string,
  content: NonNullable<Response['content']>,
  ...headerNames: string[]
): Response {
  const names = [...COMMON_HEADERS, ...headerNames];
  return {
    description,
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content,
  };
}

/**
 * The responses of an operation that can return these problems, by status.
 *
 * @param extraHeaders names of the headers of a status, in addition to those of every problem
 */
export function problemResponses(
  problems: readonly ProblemCode[],
  extraHeaders: (status: number) => readonly string[] = () => [],
): Record<string, Response> {
  const byStatus = Map.groupBy(problems, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      response(
        codes.map((code) => `\`${code}\`: ${PROBLEMS[code].detail}`).join('\n\n'),
        {
          'application/problem+json': {
            schema: oneOf(codes),
            examples: Object.fromEntries(codes.map((code) => [code, problemExample(code)])),
          },
        },
        'Cache-Control',
        ...(HEADERS_BY_STATUS[status] ?? []),
        ...extraHeaders(status),
      ),
    ]),
  );
}

/** One schema for each problem, and those that they share. */
export function problemSchemas(): Record<string, Schema> {
  return {
    ValidationError: {
      type: 'object',
      description: 'One error of a request.',
      required: ['in', 'name', 'message'],
      properties: {
        in: { type: 'string', enum: [...ERROR_LOCATIONS] },
        name: {
          ...TEXT,
          description: 'The name of the parameter; empty if the error is not in a parameter.',
        },
        message: TEXT,
      },
    },
    UpstreamError: {
      type: 'object',
      description: "The cloud's error code and RequestId. Its message is never passed on.",
      required: ['code', 'requestId'],
      properties: {
        code: { ...TEXT, description: "Tencent Cloud's error code.", examples: ['InvalidParameter.TaskId'] },
        requestId: CLOUD_REQUEST_ID,
      },
    },
    ...Object.fromEntries(PROBLEM_CODES.map((code) => [schemaName(code), problemSchema(code)])),
  };
}

const TYPE_DESCRIPTION =
  'The path of the description of the problem. It is relative to the base URL of the gateway: behind a proxy that adds a path prefix, append it to that URL.';

function problemSchema(code: ProblemCode): Schema {
  const { status, title, outcome, detail, resolution } = PROBLEMS[code];
  const upstream = schemaReference('UpstreamError');
  const required: Record<string, Schema> = {
    type: { const: `/problems/${code}`, description: TYPE_DESCRIPTION },
    title: { const: title },
    status: { const: status },
    detail: { ...TEXT, description: 'A sentence for people. Its wording may change.' },
    instance: {
      ...TEXT,
      description: 'A relative URI reference: the X-Request-Id of the response, percent-encoded.',
    },
    code: { const: code, description: 'The stable identifier of the problem, for programs.' },
    outcome: { const: outcome, description: OUTCOMES[outcome] },
    ...(code === 'invalid-request' && {
      errors: { type: 'array', minItems: 1, items: schemaReference('ValidationError') },
    }),
    ...(outcome === 'not-stopped' && { upstream }),
  };
  return {
    type: 'object',
    description: `${detail}\n\n${resolution}`,
    required: Object.keys(required),
    // The cloud did not always respond.
    properties: code === 'upstream-failed' ? { ...required, upstream } : required,
  };
}

/** The problem of an asynchronous stop that failed. */
export function failureSchema(): Schema {
  return {
    type: 'object',
    description: 'Why the stop failed: a problem document. Its `instance` is the path of the stop.',
    required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'outcome'],
    properties: {
      type: TEXT,
      title: TEXT,
      status: { type: 'integer' },
      detail: TEXT,
      instance: TEXT,
      code: { type: 'string', enum: [...FINAL_CODES] },
      outcome: {
        type: 'string',
        enum: ['not-stopped', 'unknown'],
        description:
          '`unknown` if an earlier attempt, of which no response arrived, may have stopped the task.',
      },
      upstream: schemaReference('UpstreamError'),
    },
  };
}

/** The name of a problem's schema: `TaskNotFound` for `task-not-found`. */
function schemaName(code: ProblemCode): string {
  return code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function oneOf(codes: readonly ProblemCode[]): Schema {
  const schemas = codes.map((code) => schemaReference(schemaName(code)));
  if (schemas.length === 1) return schemas[0]!;
  const mapping = Object.fromEntries(codes.map((code, index) => [code, schemas[index]!.$ref]));
  return { oneOf: schemas, discriminator: { propertyName: 'code', mapping } };
}

/** A problem document, created by the code that creates the real ones. */
function problemExample(code: ProblemCode): { summary: string; value: unknown } {
  const invalid = { params: { id: '1234' }, query: { region: 'ap-tokyo', force: '1' }, body: undefined };
  const details = code === 'invalid-request' ? { errors: validateStopRequest(invalid) } : {};
  const problem =
    REJECTIONS.findLast((rejection) => rejection.code === code) ?? new ProblemException(code, details);
  return { summary: PROBLEMS[code].title, value: problem.document(REQUEST_ID_EXAMPLE) };
}
