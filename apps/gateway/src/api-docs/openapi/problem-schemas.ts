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
      name: { type: 'string', description: 'Of the parameter; empty where there is none.' },
      message: { type: 'string' },
    },
  },
  UpstreamError: {
    type: 'object',
    description: 'What the cloud said: its own code and RequestId. Its free text is never passed on.',
    required: ['code', 'requestId'],
    properties: {
      code: {
        type: 'string',
        description: "Tencent Cloud's error code.",
        examples: ['InvalidParameter.TaskId'],
      },
      requestId: { type: 'string', description: 'Needed for locating a problem at Tencent.' },
    },
  },
};

/** The schema's name of a problem: `task-not-found` is `TaskNotFound`. */
export function schemaName(code: ProblemCode): string {
  return code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A schema for each problem of the table. */
export function problemSchemas(): Record<string, Schema> {
  return {
    ...SHARED_SCHEMAS,
    ...Object.fromEntries(PROBLEM_CODES.map((code) => [schemaName(code), schemaOf(code)])),
  };
}

function schemaOf(code: ProblemCode): Schema {
  const { status, title, outcome } = PROBLEMS[code];
  const more = extraProperties(code);
  const always = ['type', 'title', 'status', 'detail', 'instance', 'code', 'outcome'];
  return {
    type: 'object',
    description: `${DESCRIPTIONS[code].meaning}\n\n${DESCRIPTIONS[code].resolution}`,
    required: [...always, ...more.required],
    properties: {
      type: { type: 'string', const: `/problems/${code}`, description: 'Where the problem is explained.' },
      title: { type: 'string', const: title },
      status: { type: 'integer', const: status },
      detail: { type: 'string', description: 'For people; its words may change.' },
      instance: { type: 'string', description: "The answer's X-Request-Id." },
      code: { type: 'string', const: code, description: 'What programs go by.' },
      outcome: { type: 'string', const: outcome, description: OUTCOMES[outcome] },
      ...more.properties,
    },
  };
}

/** What a problem carries besides. Where the cloud refused, it answered. */
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
