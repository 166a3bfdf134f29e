import { CloudFailedError, CloudRejectedError, CloudTimeoutError } from './errors.js';

/** Returns the code of a failed attempt, for observers: see `Attempt.code`. */
export function attemptCode(error: unknown): string {
  if (error instanceof CloudRejectedError) return error.cloudCode;
  if (error instanceof CloudFailedError) return error.upstreamError?.cloudCode ?? 'malformed';
  return error instanceof CloudTimeoutError ? 'timeout' : 'unreachable';
}

/** Returns Tencent Cloud's RequestId of a failed attempt, if its response contained one. */
export function attemptRequestId(error: unknown): string | undefined {
  if (error instanceof CloudRejectedError) return error.requestId;
  return error instanceof CloudFailedError ? error.upstreamError?.requestId : undefined;
}
