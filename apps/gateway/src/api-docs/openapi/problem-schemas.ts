import { DESCRIPTIONS, OUTCOMES, PROBLEM_CODES } from '../../problems/problem-descriptions.js';
import { ERROR_LOCATIONS } from '../../http/route-config.js';
import { PROBLEMS, type ProblemCode } from '../../problems/problem-table.js';
import { reference, type Schema } from './types.js';

const SHARED_SCHEMAS: Record<string, Schema> = {
  ValidationError: {
    type: 'object',
    description: 'One error of a request.',
    required: ['in', 'name', 'message'],
    properties: {
      in: { type: 'string', enum: [...ERROR_LOCATIONS] },
      name: {
        type: 'string',
        description: 'The name of the parameter; empty if the error is not in a parameter.',
      },
      message: { type: 'string' },
    },
  },
  UpstreamError: {
    type: 'object',
    description: "The cloud's error code and RequestId. Its message is never passed on.",
    required: ['code', 'requestId'],
    properties: {
      code: {
        type: 'string',
        description: "Tencent Cloud's error code.",
        examples: ['InvalidParameter.TaskId'],
      },
      requestId: { type: 'string', description: "Tencent's RequestId, for support requests to Tencent." },
    },
  },
};

/** The name of a problem's schema: `TaskNotFound` for `task-not-found`. */
export function schemaName(code: ProblemCode): string {
  return code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** One schema for each problem, and those that they share. */
export function problemSchemas(): Record<string, Schema> {
  return {
    ...SHARED_SCHEMAS,
    ...Object.fromEntries(PROBLEM_CODES.map((code) => [schemaName(code), schemaOf(code)])),
  };
}

function schemaOf(code: ProblemCode): Schema {
  const { status, title, outcome } = PROBLEMS[code];
  const extra = extraProperties(code);
  const common = ['type', 'title', 'status', 'detail', 'instance', 'code', 'outcome'];
  return {
    type: 'object',
    description: `${DESCRIPTIONS[code].meaning}\n\n${DESCRIPTIONS[code].resolution}`,
    required: [...common, ...extra.required],
    properties: {
      type: {
        type: 'string',
        const: `/problems/${code}`,
        description: 'The address of the description of the problem.',
      },
      title: { type: 'string', const: title },
      status: { type: 'integer', const: status },
      detail: { type: 'string', description: 'A sentence for people. Its wording may change.' },
      instance: { type: 'string', description: 'The X-Request-Id of the response, percent-encoded.' },
      code: {
        type: 'string',
        const: code,
        description: 'The stable identifier of the problem, for programs.',
      },
      outcome: { type: 'string', const: outcome, description: OUTCOMES[outcome] },
      ...extra.properties,
    },
  };
}

/** The properties that not every problem has. A rejection by the cloud always has `upstream`. */
function extraProperties(code: ProblemCode): { required: string[]; properties: Record<string, Schema> } {
  if (code === 'invalid-request')
    return {
      required: ['errors'],
      properties: { errors: { type: 'array', minItems: 1, items: reference('schemas', 'ValidationError') } },
    };
  const upstream = { upstream: reference('schemas', 'UpstreamError') };
  if (PROBLEMS[code].outcome === 'not-stopped') return { required: ['upstream'], properties: upstream };
  return { required: [], properties: code === 'upstream-failed' ? upstream : {} };
}
