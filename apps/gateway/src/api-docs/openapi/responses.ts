import { DESCRIPTIONS } from '../../problems/problem-descriptions.js';
import { PROBLEMS, type ProblemCode } from '../../problems/problem-table.js';
import { problemExample } from './examples.js';
import { headers, COMMON_HEADERS, PROBLEM_HEADERS, HEADERS_BY_STATUS } from './headers.js';
import { schemaName } from './problem-schemas.js';
import { reference, type Response, type Schema } from './types.js';

const PROBLEM_JSON = 'application/problem+json';

/** An answer with a body of one type. */
export function response(
  description: string,
  type: string,
  body: { schema: Schema; example?: unknown; examples?: Record<string, { value: unknown }> },
  ...headerNames: string[]
): Response {
  return {
    description,
    headers: headers([...COMMON_HEADERS, ...headerNames]),
    content: { [type]: body },
  };
}

/**
 * The answers that these problems are, by status.
 *
 * @param more names of the headers that an answer of this status carries besides those of every problem
 */
export function problemResponses(
  codes: readonly ProblemCode[],
  more: (status: number) => readonly string[] = () => [],
): Record<string, Response> {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      String(status),
      response(
        ofStatus.map((code) => `\`${code}\`: ${DESCRIPTIONS[code].meaning}`).join('\n\n'),
        PROBLEM_JSON,
        {
          schema: oneOf(ofStatus),
          examples: Object.fromEntries(
            ofStatus.map((code) => [code, { summary: PROBLEMS[code].title, value: problemExample(code) }]),
          ),
        },
        ...PROBLEM_HEADERS,
        ...(HEADERS_BY_STATUS[status] ?? []),
        ...more(status),
      ),
    ]),
  );
}

function oneOf(codes: readonly ProblemCode[]): Schema {
  const schemas = codes.map((code) => reference('schemas', schemaName(code)));
  if (schemas.length === 1) return schemas[0]!;
  const mapping = Object.fromEntries(codes.map((code, index) => [code, schemas[index]!.$ref]));
  return { oneOf: schemas, discriminator: { propertyName: 'code', mapping } };
}
