import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.js';
import { Routes } from '../routes.js';
import { systemClock } from '../system-clock.js';
import { bearerKey } from './bearer-key.js';
import { Callers } from './callers.js';
import { neighbourhood } from './neighbourhood.js';
import { OPEN_ROUTES } from './open-routes.js';
import { WrongKeys } from './wrong-keys.js';

/** The same for all: it says nothing of the request. */
const UNAUTHENTICATED = new Problem('unauthenticated');

/**
 * Asks for the caller's key before anything else of a request is looked at. A hook of Fastify's rather than a guard
 * of Nest's: guards come after the body is read, and not at all where the path cannot be decoded.
 */
@Injectable()
export class Authentication {
  readonly #wrongKeys = new WrongKeys(systemClock.now);

  constructor(
    private readonly callers: Callers,
    private readonly routes: Routes,
  ) {}

  /**
   * Notes who calls, or calls back with the refusal; a wrong key's, the later the more of them came from its address.
   */
  admit(request: FastifyRequest, reply: FastifyReply, done: (refusal?: Problem) => void): void {
    if (this.#isOpen(request)) {
      done();
      return;
    }
    const key = bearerKey(request.headers.authorization);
    const caller = this.callers.find(key);
    if (caller) {
      request.call.caller = caller;
      done();
      return;
    }
    const address = addressOf(request);
    if (address !== undefined) request.call.address = address;
    if (key === undefined || address === undefined) done(UNAUTHENTICATED);
    else this.#refuseSlowly(neighbourhood(address), request, reply, () => done(UNAUTHENTICATED));
  }

  /**
   * Refuses a wrong key of whom so many are held back already that this one is not.
   *
   * @returns the refusal, for an answer that ends the connection; undefined where {@link admit} has more to do
   */
  oneTooMany(key: string | undefined, address: string | undefined): Problem | undefined {
    if (key === undefined || address === undefined) return undefined;
    return this.#wrongKeys.noteOneTooMany(neighbourhood(address)) ? UNAUTHENTICATED : undefined;
  }

  #isOpen(request: FastifyRequest): boolean {
    // Where no route took the request, it is the path that tells: a known one answers only to those who may use it.
    const route = request.routeOptions.url ?? this.routes.routeOf(request.raw.url ?? '/');
    return route === undefined || OPEN_ROUTES.has(route);
  }

  #refuseSlowly(address: string, request: FastifyRequest, reply: FastifyReply, refuse: () => void): void {
    const delayMs = this.#wrongKeys.note(address);
    if (delayMs === undefined) {
      // Each further guess costs its sender a connection, and us not even a line in the log.
      request.call.unlogged = true;
      void reply.header('connection', 'close');
      refuse();
    } else if (delayMs === 0) refuse();
    else
      systemClock.wakeIn(delayMs, () => {
        this.#wrongKeys.released(address);
        refuse();
      });
  }
}

/** A sender that is gone already has none, whatever the type says. */
function addressOf(request: FastifyRequest): string | undefined {
  return request.ip;
}
