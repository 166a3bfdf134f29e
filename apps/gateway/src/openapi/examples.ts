import { CloudFailed, CloudRefused, DOCUMENTED_CODES } from '#libs/tencent-cloud';
import type { StoppedTask } from '../ingest-tasks/ingest-tasks.service.js';
import { stopFaults } from '../ingest-tasks/stop-request.js';
import { Problem } from '../problems/problem.js';
import { PROBLEMS, type ProblemCode } from '../problems/problem-table.js';
import { stopProblem } from '../problems/stop-problem.js';

export const REQUEST_ID_EXAMPLE = '0f8fad5b-d9cb-469f-a165-70867728950e';

const CLOUD_REQUEST_ID = '71993312-6ab8-4768-9124-118e0a20c45f';

/** The answer to a successful stop. */
export function stoppedExample(region: string, status: StoppedTask['status']): StoppedTask {
  return { taskId: '1234', sdkAppId: 1_400_000_001, region, status, requestId: CLOUD_REQUEST_ID };
}

/** A problem as a caller gets it, made by the code that makes the real ones. */
export function problemExample(code: ProblemCode): Record<string, unknown> {
  return problem(code).document(REQUEST_ID_EXAMPLE);
}

function problem(code: ProblemCode): Problem {
  if (code === 'invalid-request') {
    const faulty = { params: { id: '1234' }, query: { region: 'ap-tokyo', force: '1' }, body: undefined };
    return new Problem(code, { errors: stopFaults(faulty) });
  }
  if (code === 'upstream-failed') {
    const word = { cloudCode: 'InternalError', requestId: CLOUD_REQUEST_ID };
    return stopProblem(new CloudFailed('', word), false) as Problem;
  }
  return PROBLEMS[code].outcome === 'not-stopped' ? refusalThatIs(code) : new Problem(code);
}

function refusalThatIs(code: ProblemCode): Problem {
  const refusals = DOCUMENTED_CODES.map(
    (cloudCode) => stopProblem(new CloudRefused(cloudCode, CLOUD_REQUEST_ID), true) as Problem,
  );
  return refusals.findLast((refusal) => refusal.code === code)!;
}
