import { CloudFailedError, CloudRejectedError, CloudTimeoutError } from './errors.js';

/** What an attempt that failed ended in, as observers are told. */
export function attemptCode(error: unknown): string {
  if (error instanceof CloudRejectedError) return error.cloudCode;
  if (error instanceof CloudFailedError) return error.upstreamError?.cloudCode ?? 'malformed';
  return error instanceof CloudTimeoutError ? 'timeout' : 'unreachable';
}

/** Tencent's RequestId of an attempt that failed, when the answer had one. */
export function attemptRequestId(error: unknown): string | undefined {
  if (error instanceof CloudRejectedError) return error.requestId;
  return error instanceof CloudFailedError ? error.upstreamError?.requestId : undefined;
}
