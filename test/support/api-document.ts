import type { Oas3_1Definition, Oas3Header, Oas3Operation, Oas3Response } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Answer, send } from './client.js';

type Schema = Record<string, unknown>;

/** What HTTP itself adds to an answer: no API describes it. */
const OF_HTTP = new Set(['content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding']);

/** The OpenAPI document of a gateway, as a judge of its answers. */
export class ApiDocument {
  /** The answers that were judged and found as documented, such as `DELETE /ingest-tasks/{id} 404 task-not-found`. */
  readonly seen = new Set<string>();
  // Every schema is closed: what a document does not name, no answer may hold.
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, formats: { int64: true } });

  private constructor(readonly content: Oas3_1Definition) {
    this.#ajv.addSchema(closed(content) as object, 'api');
  }

  static async of(url: string): Promise<ApiDocument> {
    const { text } = await send(url, '/openapi.json', { method: 'GET' });
    return new ApiDocument(JSON.parse(text) as Oas3_1Definition);
  }

  /** Such as `DELETE /ingest-tasks/{id}`. */
  get operations(): string[] {
    return [...this.#operations().keys()];
  }

  /** Every answer that is documented: of problems each code, of others each media type. */
  get documented(): string[] {
    return [...this.#operations()].flatMap(([operation, { responses }]) =>
      Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).flatMap(([type, { examples = {} }]) =>
          (type === 'application/problem+json' ? Object.keys(examples) : [type]).map(
            (what) => `${operation} ${status} ${what}`,
          ),
        ),
      ),
    );
  }

  /** What is wrong with an answer; nothing when it is one that is documented. */
  judge(operation: string, { status, headers, text, body }: Answer): string[] {
    const response = this.#operations().get(operation)?.responses[status];
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    const content = response?.content?.[type];
    if (!response || !content)
      return [`${operation} ${status} ${type} is not documented: ${text.slice(0, 300)}`];
    const faults = [
      ...this.#headerFaults(response, headers),
      ...(type.endsWith('json') ? this.#bodyFaults(content.schema as Schema, body) : []),
    ];
    const what = type === 'application/problem+json' ? String(body?.['code']) : type;
    if (faults.length === 0) this.seen.add(`${operation} ${status} ${what}`);
    return faults.map((fault) => `${operation} ${status} ${what}: ${fault}`);
  }

  #operations(): Map<string, Oas3Operation> {
    return new Map(
      Object.entries(this.content.paths!).flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) => [
          `${method.toUpperCase()} ${path}`,
          operation as Oas3Operation,
        ]),
      ),
    );
  }

  #headerFaults({ headers = {} }: Oas3Response, sent: Answer['headers']): string[] {
    const documented = new Map(Object.keys(headers).map((name) => [name.toLowerCase(), name]));
    const undocumented = Object.keys(sent).filter((name) => !documented.has(name) && !OF_HTTP.has(name));
    const wrong = [...documented].flatMap(([name, component]) => {
      const { required, schema } = this.content.components!.headers![component] as Oas3Header;
      const value = sent[name];
      if (value === undefined) return required ? [`${component} is missing`] : [];
      const typed = (schema as Schema)['type'] === 'integer' ? Number(value) : value;
      return this.#ajv.validate(schema as Schema, typed) ? [] : [`${component} is ${String(value)}`];
    });
    return [...undocumented.map((name) => `${name} is not documented`), ...wrong];
  }

  #bodyFaults(schema: Schema, body: unknown): string[] {
    const inDocument = JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/', '"api#/')) as Schema;
    return this.#ajv.validate(inDocument, body) ? [] : [this.#ajv.errorsText(), JSON.stringify(body)];
  }
}

/** The same, with no object allowed to hold more than its schema names. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== 'object' || part === null) return part;
  const same = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  return 'properties' in same && same['type'] === 'object' ? { ...same, additionalProperties: false } : same;
}
