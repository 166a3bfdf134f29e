import { MAX_WAIT_S } from '../../ingest-tasks/prefer.js';
import { rateLimitHeaders } from '../../quota/rate-limit-headers.js';
import { REQUEST_ID } from '../../http/request-id.js';
import { REQUEST_ID_EXAMPLE } from './examples.js';
import { type DocumentConfig, type Header, reference } from './types.js';

/** Headers of every response. */
export const COMMON_HEADERS = ['X-Request-Id', 'X-Content-Type-Options', 'Connection'];

/** Headers of every problem. */
export const PROBLEM_HEADERS = ['Cache-Control'];

/** Headers of the problems with a status. */
export const HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** Headers of an HTML page. */
export const HTML_HEADERS = [
  'Cache-Control',
  'Content-Security-Policy',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Resource-Policy',
  'Referrer-Policy',
  'X-Frame-Options',
];

export function headerReferences(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, reference('headers', name)]));
}

/** Every header. Those that are not `required` are absent from some of the responses that refer to them. */
export function headerComponents({ quota: { perSecond } }: DocumentConfig): Record<string, Header> {
  const rateLimit = rateLimitHeaders(perSecond, { free: perSecond - 1, nextFreeInMs: 900 });
  const draft = 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/';
  return {
    'X-Request-Id': {
      ...textHeader(
        'The `X-Request-Id` of the request if it is valid, otherwise a new one. The log entry contains it.',
        REQUEST_ID,
      ),
      example: REQUEST_ID_EXAMPLE,
    },
    'RateLimit-Policy': {
      ...textHeader(
        `The quota: \`q\` calls per window of \`w\` seconds ([draft](${draft})).`,
        /^"stop";q=\d+;w=1$/,
      ),
      required: false,
      example: rateLimit['ratelimit-policy'],
    },
    RateLimit: {
      ...textHeader(
        `\`r\` slots are free; the next one becomes free in \`t\` seconds ([draft](${draft})). In every response to a valid key.`,
        /^"stop";r=\d+;t=\d+$/,
      ),
      required: false,
      example: rateLimit['ratelimit'],
    },
    'Retry-After': {
      description: 'The number of whole seconds after which to retry. No slot becomes free earlier.',
      required: true,
      schema: { type: 'integer', minimum: 1 },
      example: 1,
    },
    'WWW-Authenticate': { ...textHeader('The authentication scheme.', /^Bearer$/), example: 'Bearer' },
    Allow: { ...textHeader('The methods that the path supports.', /^[A-Z]+(, [A-Z]+)*$/), example: 'DELETE' },
    'Preference-Applied': {
      ...textHeader('The wait that the gateway applied, if `Prefer` was valid.', /^wait=\d+$/),
      required: false,
      example: `wait=${MAX_WAIT_S}`,
    },
    Connection: {
      ...textHeader(
        '`close` when this replica is draining, or after too many wrong keys. Use a new connection.',
      ),
      required: false,
      example: 'close',
    },
    'Cache-Control': textHeader('Whether the response may be cached.'),
    Vary: textHeader('The request headers that select the representation.'),
    'X-Content-Type-Options': textHeader('Disables MIME sniffing.', /^nosniff$/),
    'Content-Security-Policy': pageHeader(
      'The sources that the page may load. Other servers are not allowed.',
    ),
    'Cross-Origin-Opener-Policy': pageHeader(
      'Isolates the page from windows of other origins.',
      /^same-origin$/,
    ),
    'Cross-Origin-Resource-Policy': pageHeader('Other origins may not embed the page.', /^same-origin$/),
    'Referrer-Policy': pageHeader('Links on the page send no referrer.', /^no-referrer$/),
    'X-Frame-Options': pageHeader('No site may show the page in a frame.', /^DENY$/),
  };
}

/** A header that JSON responses of the same path do not have. */
function pageHeader(description: string, pattern?: RegExp): Header {
  return { ...textHeader(description, pattern), required: false };
}

function textHeader(description: string, pattern?: RegExp): Header {
  return {
    description,
    required: true,
    schema: { type: 'string', ...(pattern && { pattern: pattern.source }) },
  };
}
