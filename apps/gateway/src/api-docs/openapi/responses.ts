import { DESCRIPTIONS } from '../../problems/problem-descriptions.js';
import { PROBLEMS, type ProblemCode } from '../../problems/problem-table.js';
import { problemExample } from './examples.js';
import { headerReferences, COMMON_HEADERS, PROBLEM_HEADERS, HEADERS_BY_STATUS } from './headers.js';
import { schemaName } from './problem-schemas.js';
import { reference, type Response, type Schema } from './types.js';

const PROBLEM_JSON = 'application/problem+json';

/** A response with a body of one media type. */
export function response(
  description: string,
  type: string,
  body: { schema: Schema; example?: unknown; examples?: Record<string, { value: unknown }> },
  ...headerNames: string[]
): Response {
  return {
    description,
    headers: headerReferences([...COMMON_HEADERS, ...headerNames]),
    content: { [type]: body },
  };
}

/**
 * The responses of an operation that can return these problems, by status.
 *
 * @param extraHeaders names of the headers of a status, in addition to those of every problem
 */
export function problemResponses(
  codes: readonly ProblemCode[],
  extraHeaders: (status: number) => readonly string[] = () => [],
): Record<string, Response> {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codesOfStatus]) => [
      String(status),
      response(
        codesOfStatus.map((code) => `\`${code}\`: ${DESCRIPTIONS[code].meaning}`).join('\n\n'),
        PROBLEM_JSON,
        {
          schema: oneOf(codesOfStatus),
          examples: Object.fromEntries(
            codesOfStatus.map((code) => [
              code,
              { summary: PROBLEMS[code].title, value: problemExample(code) },
            ]),
          ),
        },
        ...PROBLEM_HEADERS,
        ...(HEADERS_BY_STATUS[status] ?? []),
        ...extraHeaders(status),
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
