import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from '../app.module.js';
import { loadConfiguration } from '../config/namespaces.js';
import { ConnectionTracker } from '../http/connection-tracker.js';
import { createHttpServer, SERVER_LIMITS, type ServerLimits } from '../http/create-http-server.js';
import { getRequestId } from '../http/request-context.js';
import { replaceMalformedTarget } from '../http/malformed-target.js';
import { ProblemWriter } from '../problems/problem-writer.js';
import { HttpMetrics } from '../reporting/http-metrics.js';
import { Reporter } from '../reporting/reporter.js';
import { MalformedRequestHandler } from './malformed-request-handler.js';
import { registerHooks } from './request-hooks.js';

/** A stop has no body; a small one is read so that the problem can name the error. */
const BODY_LIMIT_BYTES = 1024;

/** Without Nest's log entries for every module and route. */
export const APP_OPTIONS = {
  bodyParser: false,
  logger: ['warn', 'error', 'fatal'],
  abortOnError: false,
} satisfies Parameters<typeof NestFactory.create>[2];

export async function createApp(): Promise<NestFastifyApplication> {
  const { keepAliveTimeoutMs } = loadConfiguration().http;
  const limits = { ...SERVER_LIMITS, keepAliveTimeoutMs };
  const adapter = createHttpAdapter(limits);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, APP_OPTIONS);
  return configureApp(app, limits);
}

export function createHttpAdapter(limits: ServerLimits): FastifyAdapter {
  return new FastifyAdapter({
    genReqId: ({ headers }: IncomingMessage) => getRequestId(headers),
    bodyLimit: BODY_LIMIT_BYTES,
    // Ids that are too long reach the validation, which names the error.
    routerOptions: { maxParamLength: limits.maxHeaderBytes },
    skipMiddie: true,
    // When the application closes, nothing is in flight any more.
    forceCloseConnections: true,
    serverFactory: (listener: RequestListener) => createHttpServer(limits, listener),
    // The router rejects malformed targets itself, without hooks and filters.
    frameworkErrors: (_error: Error, { server, raw }: FastifyRequest, reply: FastifyReply) => {
      replaceMalformedTarget(raw);
      server.routing(raw, reply.raw);
    },
  });
}

/** Registers everything that handles requests, and initializes the application. */
export async function configureApp(
  app: NestFastifyApplication,
  limits: ServerLimits,
): Promise<NestFastifyApplication> {
  const fastify = app.getHttpAdapter().getInstance();
  // Bodies are not parsed: a stop has none, whatever its type.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const connections = app.get(ConnectionTracker);
  connections.attach(fastify.server, limits);
  const malformedRequests = new MalformedRequestHandler(
    connections,
    app.get(ProblemWriter),
    app.get(Reporter),
  );
  fastify.server.removeAllListeners('clientError');
  fastify.server.on('clientError', (error: Error, socket: Socket) => malformedRequests.handle(error, socket));
  fastify.server.on('connect', (_request, socket: Socket) => malformedRequests.rejectConnect(socket));
  registerHooks(app);
  await app.init();
  app.get(HttpMetrics).initSeries();
  app.useLogger(app.get(Logger));
  return app;
}
