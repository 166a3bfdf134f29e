import { RouteConfig } from '@nestjs/platform-fastify';

/** One error of a request. */
export interface ValidationError {
  readonly in: (typeof ERROR_LOCATIONS)[number];
  /** The parameter's name; empty where there is none. */
  readonly name: string;
  readonly message: string;
}

/** Where an error of a request may be. */
export const ERROR_LOCATIONS = ['path', 'query', 'header', 'body', 'request'] as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route responds without a key. */
    isPublic?: boolean;
    /** Lists every error of a request. Needed where the router itself does not match the route: an empty parameter. */
    validate?: (request: Pick<FastifyRequest, 'params' | 'query' | 'body'>) => ValidationError[];
  }
}

/** Marks a route that responds without a key. Every other route requires one. Fastify hooks see no Nest metadata. */
export const PublicRoute = (): MethodDecorator => RouteConfig({ isPublic: true });
