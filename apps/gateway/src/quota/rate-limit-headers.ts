import type { QuotaState } from '#libs/quota';

/**
 * The headers that tell a caller the state of the quota.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function rateLimitHeaders(
  perSecond: number,
  { free, nextFreeInMs }: Pick<QuotaState, 'free' | 'nextFreeInMs'>,
): Record<string, string> {
  return {
    'ratelimit-policy': `"stop";q=${perSecond};w=1`,
    ratelimit: `"stop";r=${free};t=${Math.ceil(nextFreeInMs / 1000)}`,
  };
}
