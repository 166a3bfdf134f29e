import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConnectionTracker } from '../http/connection-tracker.js';
import { RouteTable } from '../http/route-table.js';
import { ProblemException } from '../problems/problem.exception.js';
import { systemClock } from '../time/system-clock.js';
import { bearerKey } from './bearer-key.js';
import { CallerRegistry } from './caller-registry.js';
import { addressPrefix, FailedAuthThrottle } from './failed-auth-throttle.js';

/** Shared by all requests, because it contains nothing of the request. */
const UNAUTHENTICATED = new ProblemException('unauthenticated');

/**
 * Requires a valid key before the rest of a request is read. It is not a Nest guard, because guards run after the body
 * is read, and do not run when the path cannot be decoded.
 */
@Injectable()
export class AuthenticationHook {
  readonly #throttle = new FailedAuthThrottle(systemClock.now);

  constructor(
    private readonly callers: CallerRegistry,
    private readonly routes: RouteTable,
    private readonly connections: ConnectionTracker,
  ) {
    callers.onReload(() => connections.forgetAuthentication());
  }

  /**
   * Sets `request.caller` and calls `done`, or calls it with the rejection. After three wrong keys from an address, the
   * rejection of each further wrong key is delayed.
   */
  authenticate(
    request: FastifyRequest,
    reply: FastifyReply,
    done: (rejection?: ProblemException) => void,
  ): void {
    if (this.#isPublic(request)) {
      done();
      return;
    }
    const key = bearerKey(request.headers.authorization);
    const caller = this.callers.find(key);
    if (caller) {
      request.caller = caller;
      this.connections.markAuthenticated(request.raw.socket, caller.name);
      done();
      return;
    }
    const { clientAddress } = request.requestContext;
    if (key === undefined || clientAddress === undefined) done(UNAUTHENTICATED);
    else this.#rejectWithDelay(addressPrefix(clientAddress), reply, done);
  }

  #isPublic(request: FastifyRequest): boolean {
    const { url, config } = request.routeOptions;
    if (url !== undefined) return config.isPublic === true;
    // For an unsupported method there is no route, and the path decides: the 405 of a path that requires a key requires it too.
    const route = this.routes.match(request.raw.url ?? '/');
    return route === undefined || route.config.isPublic === true;
  }

  #rejectWithDelay(address: string, reply: FastifyReply, done: (rejection: ProblemException) => void): void {
    const delayMs = this.#throttle.recordFailure(address);
    if (delayMs === undefined) {
      // Each further attempt costs the client a connection.
      void reply.header('connection', 'close');
      done(UNAUTHENTICATED);
    } else if (delayMs === 0) done(UNAUTHENTICATED);
    else
      systemClock.setTimer(delayMs, () => {
        this.#throttle.release(address);
        done(UNAUTHENTICATED);
      });
  }
}
