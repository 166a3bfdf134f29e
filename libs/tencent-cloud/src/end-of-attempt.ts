import { CloudFailed, CloudRefused, CloudTimeout } from './errors.js';

/** What an attempt that failed ended in, as observers are told. */
export function codeOf(error: unknown): string {
  if (error instanceof CloudRefused) return error.cloudCode;
  if (error instanceof CloudFailed) return error.word?.cloudCode ?? 'malformed';
  return error instanceof CloudTimeout ? 'timeout' : 'unreachable';
}

/** Tencent's RequestId of an attempt that failed, when the answer had one. */
export function requestIdOf(error: unknown): string | undefined {
  if (error instanceof CloudRefused) return error.requestId;
  return error instanceof CloudFailed ? error.word?.requestId : undefined;
}
