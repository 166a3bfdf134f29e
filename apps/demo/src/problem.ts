import type { Exchange } from './exchange.js';
import { expectEqual } from './surprise.js';

/** @throws Surprise unless the answer is a problem of this status, code and outcome */
export function expectProblem(answer: Exchange, status: number, code: string, outcome: string): void {
  expectEqual('status', answer.status, status);
  expectEqual('content type', answer.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(answer.body) as Record<string, unknown>;
  expectEqual('code', problem['code'], code);
  expectEqual('outcome', problem['outcome'], outcome);
}
