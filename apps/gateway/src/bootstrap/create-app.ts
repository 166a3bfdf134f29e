import type { IncomingMessage, RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from '../app.module.js';
import { createHttpServer } from '../http/create-http-server.js';
import { requestId } from '../http/request-id.js';
import { SERVER_LIMITS, type ServerLimits } from '../http/server-limits.js';
import { HttpMetrics } from '../reporting/http-metrics.js';
import { registerHooks } from './request-hooks.js';

/** A stop takes no body; a small one is read so that the error can name it. */
const BODY_LIMIT_BYTES = 1024;

/** 256 characters of up to four bytes, each percent-encoded as three characters. */
const MAX_ENCODED_ID_LENGTH = 256 * 4 * 3;

/** Nest logs every module and route at start; its warnings and errors are enough. */
export const APP_OPTIONS = {
  bodyParser: false,
  logger: ['warn', 'error', 'fatal'],
  abortOnError: false,
} satisfies Parameters<typeof NestFactory.create>[2];

/** The gateway, ready to listen. */
export async function createApp(): Promise<NestFastifyApplication> {
  const adapter = createHttpAdapter(SERVER_LIMITS);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, APP_OPTIONS);
  return configureApp(app, SERVER_LIMITS);
}

export function createHttpAdapter(limits: ServerLimits): FastifyAdapter {
  return new FastifyAdapter({
    genReqId: ({ headers }: IncomingMessage) => requestId(headers),
    bodyLimit: BODY_LIMIT_BYTES,
    // Longer ids still reach the validation, which names the error.
    routerOptions: { maxParamLength: 4 * MAX_ENCODED_ID_LENGTH },
    skipMiddie: true,
    // Nothing is in flight any more when the application closes.
    forceCloseConnections: true,
    serverFactory: (listener: RequestListener) => createHttpServer(limits, listener),
    // The router rejects malformed paths by itself, without hooks and filters.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      request.server.rejectUnroutable(error, request, reply),
  });
}

/** Registers everything that handles a request, and initializes the application. */
export async function configureApp(
  app: NestFastifyApplication,
  limits: ServerLimits,
): Promise<NestFastifyApplication> {
  registerHooks(app, limits);
  await app.init();
  app.get(HttpMetrics).initSeries();
  app.useLogger(app.get(Logger));
  return app;
}
