import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Quota } from '#libs/quota';
import { begunCall, headersOfEvery } from './begun-call.js';
import { type CallRecord, STOP_ROUTE } from './call-record.js';
import { CallReport } from './call-report.js';
import { Authentication } from './callers/authentication.js';
import { bearerKey } from './callers/bearer-key.js';
import { Callers } from './callers/callers.js';
import { InjectConfiguration } from './config/configuration.provider.js';
import type { Configuration } from './config/configuration.js';
import { namesItsHost } from './connections/host-header.js';
import { rateLimitHeaders } from './ingest-tasks/rate-limit.js';
import { RefusalAtOnce } from './ingest-tasks/refusal-at-once.js';
import { readStopTarget, type StopTarget } from './ingest-tasks/stop-target.js';
import { Lifecycle } from './operations/lifecycle.js';
import type { Problem } from './problems/problem.js';
import { requestId } from './request-id.js';

/** A call that is turned away: why, and what is known of it. */
interface TurnedAway {
  readonly problem: Problem;
  readonly known: Partial<CallRecord>;
}

/**
 * Turns away floods before Fastify has seen them: calls that the quota refuses, and guesses at keys beyond those that
 * are held back. It lets nobody in: what it does not turn away is looked at from the start, its key included.
 * docs/decisions/0014-front-door.md says what that saves.
 */
@Injectable()
export class FrontDoor {
  constructor(
    private readonly callers: Callers,
    private readonly authentication: Authentication,
    private readonly refusals: RefusalAtOnce,
    private readonly quota: Quota,
    private readonly lifecycle: Lifecycle,
    private readonly report: CallReport,
    @InjectConfiguration() private readonly configuration: Configuration,
  ) {}

  /** @returns what became of a request that is turned away, answered and reported; undefined: it may pass */
  turnAway(request: IncomingMessage, response: ServerResponse): CallRecord | undefined {
    if (request.method !== 'DELETE' || this.lifecycle.leaving || !namesItsHost(request)) return undefined;
    const startedAt = performance.now();
    const target = readStopTarget(request.url!);
    const turnedAway = target && this.#decide(target, request);
    if (!turnedAway) return undefined;
    this.lifecycle.passed();
    return this.#answer(request, response, turnedAway, startedAt);
  }

  #decide(target: StopTarget, { headers, socket }: IncomingMessage): TurnedAway | undefined {
    const key = bearerKey(headers.authorization);
    const caller = this.callers.find(key);
    if (caller) {
      const refused = this.refusals.of(target, headers, caller);
      return refused && { problem: refused.problem, known: { caller, task: refused.task } };
    }
    const address = socket.remoteAddress;
    const problem = this.authentication.oneTooMany(key, address);
    return problem && { problem, known: { address: address!, unlogged: true } };
  }

  #answer(
    { method = '', url = '', headers, httpVersion }: IncomingMessage,
    response: ServerResponse,
    { problem, known }: TurnedAway,
    startedAt: number,
  ): CallRecord {
    const id = requestId(headers);
    const { status, code, outcome } = problem;
    const call: CallRecord = { ...begunCall(headers), ...known, result: code, outcome };
    const body = problem.body(id);
    response.writeHead(status, {
      ...headersOfEvery(id),
      ...problem.headers(),
      ...(call.caller
        ? rateLimitHeaders(this.configuration.quotaPerSecond, this.quota.state())
        : // Each further guess costs its sender a connection.
          { connection: 'close' }),
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
    const elapsedMs = performance.now() - startedAt;
    const answered = { id, method, url, route: STOP_ROUTE, headers, httpVersion, call, status, elapsedMs };
    this.report.stop(answered);
    this.report.ended(answered);
    return call;
  }
}
