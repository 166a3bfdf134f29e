import { RouteConfig } from '@nestjs/platform-fastify';

/** One error of a request. */
export interface ValidationError {
  readonly in: (typeof ERROR_LOCATIONS)[number];
  /** The name of the parameter; empty if the error is not in a parameter. */
  readonly name: string;
  readonly message: string;
}

/** The parts of a request that can have an error. */
export const ERROR_LOCATIONS = ['path', 'query', 'header', 'body', 'request'] as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route requires no key. */
    isPublic?: boolean;
    /** Lists every error of a request. Used for an empty parameter, for which the router does not match the route. */
    validate?: (request: Pick<FastifyRequest, 'params' | 'query' | 'body'>) => ValidationError[];
  }
}

/** Marks a route that requires no key. It is not Nest metadata, because Fastify hooks cannot read that. */
export const PublicRoute = (): MethodDecorator => RouteConfig({ isPublic: true });
