import type { ProblemCode } from '../problems/problem-table.js';

/** The problems with which an asynchronous stop fails: the cloud would reject every other attempt as well. */
export const FINAL_CODES: ReadonlySet<ProblemCode> = new Set([
  'task-not-found',
  'sdk-app-id-rejected',
  'upstream-rejected',
]);
