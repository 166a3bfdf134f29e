import type { Oas3_1Definition, Oas3Header, Oas3Operation, Oas3Response } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type HttpResponse, send } from './client.js';

type Schema = Record<string, unknown>;

/** Headers that HTTP adds to each response; no API document describes them. */
const HTTP_HEADERS = new Set(['content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding']);

/** Headers of HTML pages for browsers, which the document leaves out. */
const PAGE_HEADERS = new Set([
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'x-frame-options',
]);

/** The OpenAPI document of a gateway. It validates the responses of the gateway. */
export class ApiDocument {
  /** The documented responses that were seen, such as `DELETE /ingest-tasks/{id} 404 task-not-found`. */
  readonly validated = new Set<string>();
  // Every schema is closed: a response has only properties that the document names.
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, formats: { int64: true } });

  private constructor(readonly content: Oas3_1Definition) {
    this.#ajv.addSchema(withoutExtraProperties(content) as object, 'api');
  }

  static async fetch(url: string): Promise<ApiDocument> {
    const { text } = await send(url, '/openapi.json', { method: 'GET' });
    return new ApiDocument(JSON.parse(text) as Oas3_1Definition);
  }

  /** Such as `DELETE /ingest-tasks/{id}`. */
  get operations(): string[] {
    return [...this.#operations().keys()];
  }

  /** Every documented response: one entry for each problem code, and for each media type of other responses. */
  get documentedResponses(): string[] {
    return [...this.#operations()].flatMap(([operation, { responses }]) =>
      Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).flatMap(([type, { examples = {} }]) =>
          (type === 'application/problem+json' ? Object.keys(examples) : [type]).map(
            (kind) => `${operation} ${status} ${kind}`,
          ),
        ),
      ),
    );
  }

  /** @returns the differences between a response and the document; empty when there are none */
  validate(operation: string, { status, headers, text, body }: HttpResponse): string[] {
    const response = this.#operations().get(operation)?.responses[status];
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    const content = response?.content?.[type];
    if (!response || !content)
      return [`${operation} ${status} ${type} is not documented: ${text.slice(0, 300)}`];
    const errors = [
      ...this.#headerErrors(response, headers),
      ...(type.endsWith('json') ? this.#bodyErrors(content.schema as Schema, body) : []),
    ];
    const kind = type === 'application/problem+json' ? String(body?.['code']) : type;
    if (errors.length === 0) this.validated.add(`${operation} ${status} ${kind}`);
    return errors.map((error) => `${operation} ${status} ${kind}: ${error}`);
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

  #headerErrors({ headers = {} }: Oas3Response, sent: HttpResponse['headers']): string[] {
    const documented = new Map(Object.keys(headers).map((name) => [name.toLowerCase(), name]));
    const isPage = sent['content-type']?.startsWith('text/html') ?? false;
    const undocumented = Object.keys(sent).filter(
      (name) => !documented.has(name) && !HTTP_HEADERS.has(name) && !(isPage && PAGE_HEADERS.has(name)),
    );
    const invalid = [...documented].flatMap(([name, component]) => {
      const { required, schema } = this.content.components!.headers![component] as Oas3Header;
      const value = sent[name];
      if (value === undefined) return required ? [`${component} is missing`] : [];
      const typed = (schema as Schema)['type'] === 'integer' ? Number(value) : value;
      return this.#ajv.validate(schema as Schema, typed) ? [] : [`${component} is ${String(value)}`];
    });
    return [...undocumented.map((name) => `${name} is not documented`), ...invalid];
  }

  #bodyErrors(schema: Schema, body: unknown): string[] {
    const inDocument = JSON.parse(
      JSON.stringify(withoutExtraProperties(schema)).replaceAll('"#/', '"api#/'),
    ) as Schema;
    return this.#ajv.validate(inDocument, body) ? [] : [this.#ajv.errorsText(), JSON.stringify(body)];
  }
}

/** Returns the schema with `additionalProperties: false` in each object that has properties. */
function withoutExtraProperties(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutExtraProperties);
  if (typeof part !== 'object' || part === null) return part;
  const copy = Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, withoutExtraProperties(value)]),
  );
  return 'properties' in copy && copy['type'] === 'object' ? { ...copy, additionalProperties: false } : copy;
}
