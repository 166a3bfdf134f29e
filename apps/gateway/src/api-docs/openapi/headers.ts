import { REQUEST_ID } from '../../http/request-context.js';
import { MAX_WAIT_S } from '../../ingest-tasks/prefer.js';
import { rateLimitHeaders } from '../../quota/rate-limit.hook.js';
import { REQUEST_ID_EXAMPLE, STOP_ID_EXAMPLE, TEXT } from './responses.js';
import type { DocumentConfig, Header } from './types.js';

const RATE_LIMIT_DRAFT = '([draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/))';

/**
 * Every header. Those that are not `required` are absent from some of the responses that refer to them. The security
 * headers of HTML pages are not described: they concern browsers, not clients of the API.
 */
export function headerComponents({ quota: { perSecond } }: DocumentConfig): Record<string, Header> {
  const rateLimit = rateLimitHeaders(perSecond, { free: perSecond - 1, nextFreeInMs: 900 });
  return {
    'X-Request-Id': header(
      'The `X-Request-Id` of the request if it is valid, otherwise a new one. The log entry contains it.',
      REQUEST_ID_EXAMPLE,
      REQUEST_ID,
    ),
    'RateLimit-Policy': optional(
      header(
        `The quota: \`q\` calls per window of \`w\` seconds ${RATE_LIMIT_DRAFT}.`,
        rateLimit['ratelimit-policy'],
        /^"stop";q=\d+;w=1$/,
      ),
    ),
    RateLimit: optional(
      header(
        `\`r\` slots are free; the next one becomes free in \`t\` seconds ${RATE_LIMIT_DRAFT}. In every response to a valid key.`,
        rateLimit['ratelimit'],
        /^"stop";r=\d+;t=\d+$/,
      ),
    ),
    'Retry-After': {
      description:
        'The number of whole seconds after which to retry, or to ask again for a pending stop. No slot becomes free ' +
        'earlier.',
      required: false,
      schema: { type: 'integer', minimum: 1 },
      example: 1,
    },
    Location: header(
      'The path of the asynchronous stop.',
      `/stops/${STOP_ID_EXAMPLE}`,
      /^\/stops\/[0-9a-f-]{36}$/,
    ),
    'WWW-Authenticate': header('The authentication scheme.', 'Bearer', /^Bearer$/),
    Allow: header('The methods that the path supports.', 'DELETE', /^[A-Z]+(, [A-Z]+)*$/),
    'Preference-Applied': optional(
      header(
        'The preferences that the gateway applied, if `Prefer` was valid.',
        `wait=${MAX_WAIT_S}`,
        /^(respond-async(, wait=\d+)?|wait=\d+)$/,
      ),
    ),
    Connection: optional(
      header(
        '`close` when this replica is draining, or after too many wrong keys. Use a new connection.',
        'close',
      ),
    ),
    'Cache-Control': header('Whether the response may be cached.', 'no-store'),
    Vary: header('The request headers that select the representation.', 'accept'),
    'X-Content-Type-Options': header('Disables MIME sniffing.', 'nosniff', /^nosniff$/),
  };
}

function header(description: string, example: string | undefined, pattern?: RegExp): Header {
  const schema = { ...TEXT, ...(pattern && { pattern: pattern.source }) };
  return { description, required: true, schema, example };
}

function optional(required: Header): Header {
  return { ...required, required: false };
}
