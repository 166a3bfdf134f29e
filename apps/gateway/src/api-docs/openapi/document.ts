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
  { name: 'Operations', description: 'For load balancers, Kubernetes and Prometheus. No key is required.' },
  { name: 'Documentation', description: 'For callers. No key is required.' },
];

/**
 * Creates the OpenAPI document from the routes, the problem table, the validation rules and the configured defaults.
 *
 * @param routes as Fastify registers them, such as `DELETE /ingest-tasks/:id`
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
    // Every GET route has a HEAD route.
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
        "Stops pull-stream relay tasks of Tencent RTC within the cloud's quota. Every error response is a problem document " +
        '(RFC 9457): `outcome` says what is known about the task, and [`code`](problems) says what to do.',
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
          description:
            'The key that you received from the operators of the gateway: `Authorization: Bearer <key>`.',
        },
      },
    },
  };
}
