import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';

/**
 * Replaces a target that the router cannot decode by one of the same route, so that the request passes the hooks. One
 * of them must reject it.
 */
export function replaceMalformedTarget(request: IncomingMessage & { originalUrl?: string }): void {
  const { url = '' } = request;
  request.originalUrl = url;
  // Not longer: the router also rejects long parameters.
  const target = url.replaceAll('%', '_');
  request.url = target.startsWith('/') ? target : `/${target}`;
}

export function hasMalformedTarget({ url, originalUrl }: FastifyRequest): boolean {
  return url !== originalUrl;
}
