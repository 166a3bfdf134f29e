import type { FastifyRequest } from 'fastify';

/** The route that stops a task, as Fastify registers it. */
export const STOP_ROUTE = '/ingest-tasks/:id';

export function isStopRoute(request: FastifyRequest): boolean {
  return request.routeOptions.url === STOP_ROUTE;
}
