import { CloudFailedError, CloudRejectedError, DOCUMENTED_CODES } from '#libs/tencent-cloud';
import type { StopTaskResponse } from '../../ingest-tasks/ingest-tasks.controller.js';
import { validateStopRequest } from '../../ingest-tasks/stop-request.js';
import { ProblemException } from '../../problems/problem.exception.js';
import { PROBLEMS, type ProblemCode } from '../../problems/problem-table.js';
import { toProblem } from '../../ingest-tasks/to-problem.js';

export const REQUEST_ID_EXAMPLE = '0f8fad5b-d9cb-469f-a165-70867728950e';

const CLOUD_REQUEST_ID = '71993312-6ab8-4768-9124-118e0a20c45f';

/** The body of a successful response. */
export function stoppedExample(region: string, status: StopTaskResponse['status']): StopTaskResponse {
  return { taskId: '1234', sdkAppId: 1_400_000_001, region, status, requestId: CLOUD_REQUEST_ID };
}

/** A problem document, created by the code that creates the real ones. */
export function problemExample(code: ProblemCode): Record<string, unknown> {
  return problem(code).document(REQUEST_ID_EXAMPLE);
}

function problem(code: ProblemCode): ProblemException {
  if (code === 'invalid-request') {
    const invalid = { params: { id: '1234' }, query: { region: 'ap-tokyo', force: '1' }, body: undefined };
    return new ProblemException(code, { errors: validateStopRequest(invalid) });
  }
  if (code === 'upstream-failed') {
    const upstreamError = { cloudCode: 'InternalError', requestId: CLOUD_REQUEST_ID };
    return toProblem(new CloudFailedError('', upstreamError), false);
  }
  return PROBLEMS[code].outcome === 'not-stopped' ? rejectionExampleFor(code) : new ProblemException(code);
}

function rejectionExampleFor(code: ProblemCode): ProblemException {
  const rejections = DOCUMENTED_CODES.map((cloudCode) =>
    toProblem(new CloudRejectedError(cloudCode, CLOUD_REQUEST_ID), true),
  );
  return rejections.findLast((rejection) => rejection.code === code)!;
}
