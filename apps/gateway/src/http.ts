import type { IncomingMessage, RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import { Quota } from '#libs/quota';
import { answeredBy } from './answered.js';
import { begunCall, headersOfEvery } from './begun-call.js';
import { isStop } from './call-record.js';
import { CallReport } from './call-report.js';
import { Authentication } from './callers/authentication.js';
import { CONNECTION_LIMITS } from './connections/connection-limits.js';
import { Connections } from './connections/connections.js';
import { listener } from './connections/listener.js';
import { namesItsHost } from './connections/host-header.js';
import { MalformedRequests } from './connections/malformed-requests.js';
import type { Configuration } from './config/configuration.js';
import { FrontDoor } from './front-door.js';
import { GatewayModule, type Surroundings } from './gateway.module.js';
import { rateLimitHeaders } from './ingest-tasks/rate-limit.js';
import { expectAnswers } from './metrics/expect-answers.js';
import { Lifecycle } from './operations/lifecycle.js';
import { CALLER_LEFT } from './problems/caller-left.js';
import { Problem } from './problems/problem.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { requestId } from './request-id.js';
import { Routes } from './routes.js';

/** A stop takes no body; a little is read so that the fault can be named. */
const BODY_LIMIT_BYTES = 1024;

/** 256 characters of up to four bytes, each written as three. */
const MAX_ID_IN_URL = 256 * 4 * 3;

const HOST_FAULT = { in: 'header', name: 'host', message: 'must be given once' } as const;

/**
 * The gateway as an application that is ready to listen: adapter, filter and hooks, the same for production and
 * for tests.
 */
export async function createGateway(
  configuration: Configuration,
  surroundings?: Surroundings,
): Promise<NestFastifyApplication> {
  const limits = { ...CONNECTION_LIMITS, ...surroundings?.limits };
  const adapter = new FastifyAdapter({
    genReqId: ({ headers }: IncomingMessage) => requestId(headers),
    bodyLimit: BODY_LIMIT_BYTES,
    // Longer ones still reach the validation, which names the fault.
    routerOptions: { maxParamLength: 4 * MAX_ID_IN_URL },
    skipMiddie: true,
    // When the application closes, nothing is in flight any more: what is still open is idle, or never said a word.
    forceCloseConnections: true,
    serverFactory: (toFastify: RequestListener) =>
      listener(limits, (request, response) => {
        const turnedAway = frontDoor.turnAway(request, response);
        if (!turnedAway) toFastify(request, response);
        else if (turnedAway.caller) connections.proved(request.socket);
      }),
    clientErrorHandler: (error, socket) => malformedRequests.reject(error, socket),
    // The router refuses malformed paths by itself, without hooks and filters.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      begin(request, reply);
      authentication.admit(request, reply, (refusal) => {
        filter.answer(refusal ?? error, request, reply);
      });
    },
  });
  const app: NestFastifyApplication = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.forRoot(configuration, surroundings),
    adapter,
    // Nest tells of every module and route at start; its warnings and errors are enough.
    { bodyParser: false, logger: ['warn', 'error', 'fatal'], abortOnError: false },
  );
  const connections = app.get(Connections);
  const malformedRequests = app.get(MalformedRequests);
  const routes = app.get(Routes);
  const report = app.get(CallReport);
  const authentication = app.get(Authentication);
  const quota = app.get(Quota);
  const lifecycle = app.get(Lifecycle);
  const frontDoor = app.get(FrontDoor);
  const filter = app.get(ProblemFilter);
  app.useGlobalFilters(filter);

  const fastify = adapter.getInstance();
  connections.watch(fastify.server);
  // Bodies are not parsed, only seen: whatever their type, a stop takes none.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  fastify.decorateRequest('call');
  fastify.addHook('onRoute', ({ url, method }) => routes.add(url, [method].flat()));
  const begin = (request: FastifyRequest, reply: FastifyReply): void => {
    request.call = begunCall(request.headers);
    void reply.headers(headersOfEvery(request.id));
    if (lifecycle.leaving) void reply.header('connection', 'close');
    const { socket } = request.raw;
    lifecycle.requestStarted(request.call);
    connections.begun(request.raw);
    reply.raw.once('close', () => {
      request.call.departure.abort(CALLER_LEFT);
      lifecycle.requestFinished(request.call);
      connections.ended(socket);
      report.ended(answeredBy(request, reply));
    });
  };
  // Before the hooks of the adapter itself, one of which refuses targets that only look like a path to the router.
  adapter.setOnRequestHook((request, reply, done) => {
    begin(request, reply);
    if (!namesItsHost(request.raw)) {
      filter.answer(new Problem('invalid-request', { errors: [HOST_FAULT] }), request, reply);
      return;
    }
    authentication.admit(request, reply, (refusal) => {
      if (request.call.caller) connections.proved(request.raw.socket);
      const leaving = isStop(request) && lifecycle.refusing.aborted;
      const problem = refusal ?? (leaving ? (lifecycle.refusing.reason as Problem) : undefined);
      if (problem) filter.answer(problem, request, reply);
      else done();
    });
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    // Requests that the client sent without waiting for responses are all served: the last response ends the connection.
    if (lifecycle.leaving && connections.inFlightOn(request.raw.socket) > 1)
      void reply.removeHeader('connection');
    if (isStop(request)) {
      if (request.call.caller)
        void reply.headers(rateLimitHeaders(configuration.quotaPerSecond, quota.state()));
      report.stop(answeredBy(request, reply));
    }
    done(null, payload);
  });
  await app.init();
  expectAnswers(app);
  app.useLogger(app.get(Logger));
  return app;
}
