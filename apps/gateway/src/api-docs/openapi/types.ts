import type {
  Oas3Header,
  Oas3Operation,
  Oas3Parameter,
  Oas3Response,
  Oas3_1Schema,
} from '@redocly/openapi-core';
import type { Configuration } from '../../config/configuration.js';

// OpenAPI 3.1 describes data in JSON Schema 2020-12.
export type Schema = Oas3_1Schema;
export type Header = Oas3Header<Schema>;
export type Operation = Oas3Operation<Schema>;
export type Parameter = Oas3Parameter<Schema>;
export type Response = Oas3Response<Schema>;

/** The configuration that the document depends on. */
export type DocumentConfig = Pick<Configuration, 'auth' | 'quota' | 'tencentCloud'>;
