import fastify, { type FastifyInstance } from 'fastify';
import { putDelays, putFaults, putSettings, putTask } from './control-schemas.js';
import type { Delays } from './delays.js';
import type { FaultRule } from './faults.js';
import type { SandboxControl } from './sandbox-control.js';
import type { Settings } from './settings.js';
import type { Task } from './tasks.js';

/**
 * The control API of the sandbox: JSON over HTTP, on the loopback interface.
 *
 * | request                     | body                                                           | effect                              |
 * | --------------------------- | -------------------------------------------------------------- | ----------------------------------- |
 * | `GET /state`                |                                                                | endpoints, statistics, configuration |
 * | `GET /received-requests`    |                                                                | the latest 10,000 requests          |
 * | `DELETE /received-requests` |                                                                | deletes them                        |
 * | `GET /tasks`                |                                                                | all tasks                           |
 * | `PUT /tasks/:taskId`        | `{ sdkAppId, status }`                                         | adds or replaces one task           |
 * | `PUT /delays`               | `{ request?, response? }`, each `{ minMs, maxMs }`             | changes the given directions        |
 * | `PUT /faults`               | list of fault rules, see `FaultRule`                           | replaces all rules                  |
 * | `PUT /settings`             | `{ acceptUnknownTasks?, quotaPerSecond?, clockOffsetSeconds? }` | changes the given settings          |
 *
 * `GET` returns 200, the other methods 204. Invalid input returns 400 with the reason.
 */
export function createControlApi(sandbox: SandboxControl): FastifyInstance {
  const api = fastify({
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, discriminator: true } },
  });

  api.get('/state', () => sandbox.state());
  api.get('/received-requests', () => sandbox.receivedRequests());
  api.get('/tasks', () => sandbox.tasks());

  api.delete('/received-requests', (_request, reply) => {
    sandbox.clearReceivedRequests();
    return reply.code(204).send();
  });
  api.put<{ Params: { taskId: string }; Body: Omit<Task, 'taskId'> }>(
    '/tasks/:taskId',
    { schema: { body: putTask } },
    ({ params, body }, reply) => {
      sandbox.putTask({ ...body, taskId: params.taskId });
      return reply.code(204).send();
    },
  );
  api.put<{ Body: Partial<Delays> }>('/delays', { schema: { body: putDelays } }, ({ body }, reply) => {
    sandbox.setDelays(body);
    return reply.code(204).send();
  });
  api.put<{ Body: FaultRule[] }>('/faults', { schema: { body: putFaults } }, ({ body }, reply) => {
    sandbox.setFaults(body);
    return reply.code(204).send();
  });
  api.put<{ Body: Partial<Settings> }>('/settings', { schema: { body: putSettings } }, ({ body }, reply) => {
    sandbox.setSettings(body);
    return reply.code(204).send();
  });

  api.setErrorHandler((error, _request, reply) => {
    if (error instanceof RangeError) return reply.code(400).send({ message: error.message });
    return reply.send(error);
  });
  return api;
}
