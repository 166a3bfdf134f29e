import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { pageHeaders } from '../page-headers.js';
import { explain, type ExplainedProblem, PROBLEM_CODES } from './explanations.js';
import { problemPage, problemsPage, STYLE_SOURCE } from './problem-pages.js';
import { Problem } from './problem.js';
import type { ProblemCode } from './problem-table.js';

/** What the problem codes mean and what to do: a page for browsers, JSON for everybody else. */
@Controller('problems')
export class ProblemsController {
  /** Every problem. */
  @Get()
  list(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const problems = PROBLEM_CODES.map(explain);
    return answer(request, reply, { problems }, () => problemsPage(problems));
  }

  /**
   * One problem.
   *
   * @throws Problem `route-not-found` for a code that is none
   */
  @Get(':code')
  explain(
    @Param('code') code: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): ExplainedProblem | string {
    if (!isProblemCode(code)) throw new Problem('route-not-found');
    const problem = explain(code);
    return answer(request, reply, problem, () => problemPage(problem));
  }
}

function isProblemCode(code: string): code is ProblemCode {
  return (PROBLEM_CODES as string[]).includes(code);
}

function answer<T>(request: FastifyRequest, reply: FastifyReply, json: T, page: () => string): T | string {
  void reply.headers({ vary: 'accept', 'cache-control': 'no-cache' });
  const wanted = new Negotiator(request).mediaType(['application/json', 'text/html']);
  if (wanted !== 'text/html') return json;
  void reply.headers(pageHeaders(`style-src ${STYLE_SOURCE}`));
  return page();
}
