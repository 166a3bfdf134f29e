import { createRequire } from 'node:module';
import type { Oas3_1Definition } from '@redocly/openapi-core';
import { headerComponents } from './headers.js';
import { PROBLEM_DESCRIPTION, HEALTH, PUBLIC_OPERATIONS } from './public-operations.js';
import { problemSchemas } from './problem-schemas.js';
import { STOP_TASK_RESPONSE, stopOperation } from './stop-operation.js';
import type { DocumentConfig, Operation } from './types.js';

const { version, license } = createRequire(import.meta.url)('#package.json') as Record<string, string>;

const TAGS = [
  { name: 'Ingest tasks', description: 'Pull-stream relay tasks of Tencent RTC.' },
  { name: 'Operations', description: 'For load balancers, Kubernetes and Prometheus. No key is asked for.' },
  { name: 'Documentation', description: 'For whoever calls. No key is asked for.' },
];

/**
 * The OpenAPI document of a gateway: its routes, its problem table, the rules that it checks, its defaults.
 *
 * @param routes as they are registered, such as `DELETE /ingest-tasks/:id`
 * @throws Error that names a route without a description
 */
export function createDocument(routes: readonly string[], config: DocumentConfig): Oas3_1Definition {
  const operations: Record<string, Operation> = {
    'DELETE /ingest-tasks/{id}': stopOperation(config),
    ...PUBLIC_OPERATIONS,
  };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const [method = '', path = ''] = route.replaceAll(/:(\w+)/g, '{$1}').split(' ');
    // HEAD is wherever GET is.
    if (method === 'HEAD') continue;
    const operation = operations[`${method} ${path}`];
    if (!operation) throw new Error(`${method} ${path} is not described in openapi/`);
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Ingest gateway',
      version: version!,
      license: { name: license!, url: 'https://opensource.org/license/mit' },
      description:
        "Stops pull-stream relay tasks of Tencent RTC, keeps to the cloud's quota, and says exactly what is known " +
        'about a task afterwards. Every error is a problem (RFC 9457); [its code](problems) tells what to do.',
    },
    servers: [{ url: '/', description: 'This gateway.' }],
    tags: TAGS,
    paths,
    components: {
      headers: headerComponents(config),
      schemas: {
        StopTaskResponse: STOP_TASK_RESPONSE,
        Health: HEALTH,
        ProblemDescription: PROBLEM_DESCRIPTION,
        ...problemSchemas(),
      },
      securitySchemes: {
        callerKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'The key that the operators of the gateway gave you: `Authorization: Bearer <key>`.',
        },
      },
    },
  };
}
