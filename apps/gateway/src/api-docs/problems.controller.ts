import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { htmlSecurityHeaders } from '../http/html-security-headers.js';
import { PublicRoute } from '../http/route-config.js';
import { ProblemException } from '../problems/problem.exception.js';
import { describeProblem, PROBLEM_CODES, type ProblemDescription } from '../problems/problem-table.js';
import { problemPage, problemsPage, STYLE_SOURCE } from './problem-pages.js';

/** The description of each problem: HTML for browsers, otherwise JSON. */
@Controller('problems')
export class ProblemsController {
  /** Lists all problems. */
  @Get()
  @PublicRoute()
  list(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const problems = PROBLEM_CODES.map(describeProblem);
    return respond(request, reply, { problems }, () => problemsPage(problems));
  }

  /**
   * Describes one problem.
   *
   * @throws ProblemException `route-not-found` for an unknown code
   */
  @Get(':code')
  @PublicRoute()
  describe(
    @Param('code') code: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): ProblemDescription | string {
    const known = PROBLEM_CODES.find((each) => each === code);
    if (!known) throw new ProblemException('route-not-found');
    const problem = describeProblem(known);
    return respond(request, reply, problem, () => problemPage(problem));
  }
}

function respond<T>(request: FastifyRequest, reply: FastifyReply, json: T, html: () => string): T | string {
  void reply.headers({ vary: 'accept', 'cache-control': 'no-cache' });
  const type = new Negotiator(request).mediaType(['application/json', 'text/html']);
  if (type !== 'text/html') return json;
  void reply.headers(htmlSecurityHeaders(`style-src ${STYLE_SOURCE}`));
  return html();
}
