import type { FastifyRequest } from 'fastify';
import type { ValidationError } from '../http/route-config.js';
import { ASYNC_STOP_STATUSES, type AsyncStopStatus } from '../ingest-tasks/stop-backlog.js';

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

/** A position between two stops: `p` and an id, or `f`, a time and an id. */
export const CURSOR = /^(p[0-9a-f-]{36}|f(\d{1,16}_[0-9a-f-]{36})?)$/;

/** The rules for each query parameter. A parameter that occurs twice is a list, which is not valid. */
const RULES: Readonly<Record<string, { isValid(value: string): boolean; message: string }>> = {
  status: {
    isValid: (value) => ASYNC_STOP_STATUSES.some((status) => status === value),
    message: `must be given once, as one of ${ASYNC_STOP_STATUSES.join(', ')}`,
  },
  limit: {
    isValid: (value) => /^[1-9]\d{0,3}$/.test(value) && Number(value) <= MAX_LIMIT,
    message: `must be given once, as a whole number from 1 to ${MAX_LIMIT}`,
  },
  cursor: {
    isValid: (value) => CURSOR.test(value),
    message: 'must be given once, as a `nextCursor` of this list',
  },
};

/** Lists every error of a request to list stops. */
export function validateListRequest({ query }: Pick<FastifyRequest, 'query'>): ValidationError[] {
  return Object.entries(query as Record<string, unknown>).flatMap(([name, value]): ValidationError[] => {
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    if (!rule) return [{ in: 'query', name, message: 'is not a parameter of this route' }];
    const isValid = typeof value === 'string' && rule.isValid(value);
    return isValid ? [] : [{ in: 'query', name, message: rule.message }];
  });
}

/** Which stops of a caller to list. */
export interface ListRequest {
  /** undefined for all. */
  readonly status: AsyncStopStatus | undefined;
  /** How many stops at most. */
  readonly limit: number;
  /** `nextCursor` of the page before; undefined for the first page. */
  readonly cursor: string | undefined;
}

/** @param request a valid one */
export function toListRequest({ query }: Pick<FastifyRequest, 'query'>): ListRequest {
  const { status, limit, cursor } = query as { status?: AsyncStopStatus; limit?: string; cursor?: string };
  return { status, limit: limit === undefined ? DEFAULT_LIMIT : Number(limit), cursor };
}
