import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthenticationHook } from '../auth/authentication.hook.js';
import type { Configuration } from '../config/configuration.js';
import { NAMESPACES } from '../config/namespaces.js';
import { afterResponse } from '../http/after-response.js';
import { CLIENT_DISCONNECTED } from '../http/client-disconnected.error.js';
import { ConnectionTracker } from '../http/connection-tracker.js';
import { findAmbiguity } from '../http/find-ambiguity.js';
import { hasMalformedTarget } from '../http/malformed-target.js';
import { commonHeaders, createRequestContext } from '../http/request-context.js';
import type { ValidationError } from '../http/route-config.js';
import { RouteTable } from '../http/route-table.js';
import { LoadSheddingHook } from '../ingest-tasks/load-shedding.hook.js';
import { stopOutcomeOf } from '../ingest-tasks/stop-outcome.js';
import { STOP_ROUTE } from '../ingest-tasks/stop-request.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { ProblemException } from '../problems/problem.exception.js';
import { ProblemWriter } from '../problems/problem-writer.js';
import { RateLimitHook } from '../quota/rate-limit.hook.js';
import { Reporter } from '../reporting/reporter.js';

const MALFORMED_TARGET: ValidationError = { in: 'path', name: '', message: 'is not percent-encoded UTF-8' };

/** Registers the hooks of a request in the order in which they run. docs/architecture.md describes each step. */
export function registerHooks(app: NestFastifyApplication): void {
  const adapter = app.getHttpAdapter() as unknown as FastifyAdapter;
  const fastify = adapter.getInstance();
  const connections = app.get(ConnectionTracker);
  const routes = app.get(RouteTable);
  const { trustedProxies } = app.get<Configuration['http']>(NAMESPACES.http.KEY);
  const authentication = app.get(AuthenticationHook);
  const lifecycle = app.get(Lifecycle);
  const loadShedding = app.get(LoadSheddingHook);
  const problems = app.get(ProblemWriter);
  const rateLimit = app.get(RateLimitHook);
  const reporter = app.get(Reporter);

  const startRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    const context = createRequestContext(request, trustedProxies);
    request.requestContext = context;
    void reply.headers(commonHeaders(context.requestId));
    if (lifecycle.isDraining) void reply.header('connection', 'close');
    const { socket } = request.raw;
    lifecycle.requestStarted(context);
    connections.requestStarted(request.raw, context);
    reply.raw.once('close', () => {
      context.clientDisconnect.abort(CLIENT_DISCONNECTED);
      lifecycle.requestFinished(context);
      connections.requestEnded(socket, context, reply.raw);
      reporter.requestCompleted(request, reply);
    });
  };

  fastify.decorateRequest('requestContext');
  fastify.decorateRequest('caller');
  fastify.decorateReply('responseError');
  fastify.decorateReply('stopOutcome');
  fastify.addHook('onRoute', (route) => routes.add(route));

  const isStop = (request: FastifyRequest): boolean => routes.routeOf(request)?.path === STOP_ROUTE;

  const rejectionOf = (request: FastifyRequest, reply: FastifyReply): ProblemException | undefined => {
    if (hasMalformedTarget(request)) return invalidRequest(MALFORMED_TARGET);
    return isStop(request) ? (lifecycle.rejection ?? loadShedding.rejection(request, reply)) : undefined;
  };

  // Runs before the hooks of the adapter itself, one of which rejects targets that only look like a path to the router.
  adapter.setOnRequestHook((request, reply, done) => {
    startRequest(request, reply);
    // A stop has no body, whatever its type. Fastify would reject an invalid type.
    delete request.raw.headers['content-type'];
    const respond = (rejection: ProblemException | undefined): void => {
      if (rejection) problems.respond(rejection, request, reply);
      else done();
    };
    const ambiguity = findAmbiguity(request.raw);
    if (ambiguity) respond(invalidRequest(ambiguity));
    else
      authentication.authenticate(request, reply, (rejection) =>
        respond(rejection ?? rejectionOf(request, reply)),
      );
  });

  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (isStop(request)) {
      rateLimit.addHeaders(request, reply);
      const endedAt = performance.now();
      afterResponse(reply.raw, () => reporter.stopCompleted(request, reply, stopOutcomeOf(reply), endedAt));
    }
    connections.responseStarted(reply.raw, payload);
    if (!lifecycle.isDraining) return done(null, payload);
    // Pipelined requests are all served: the last response closes the connection. A request that is rejected at once is
    // rejected before the parser has read the next one.
    setImmediate(() => {
      const { socket } = request.raw;
      if (connections.requestsInFlight(socket) > 1 || socket.readableLength > 0)
        void reply.removeHeader('connection');
      done(null, payload);
    });
  });
}

function invalidRequest(error: ValidationError): ProblemException {
  return new ProblemException('invalid-request', { errors: [error] });
}
