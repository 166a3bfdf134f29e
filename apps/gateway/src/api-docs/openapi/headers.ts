import { MAX_WAIT_S } from '../../ingest-tasks/prefer.js';
import { rateLimitHeaders } from '../../quota/rate-limit-headers.js';
import { REQUEST_ID } from '../../http/request-id.js';
import { REQUEST_ID_EXAMPLE } from './examples.js';
import { type DocumentConfig, type Header, reference } from './types.js';

/** What every answer may carry. */
export const COMMON_HEADERS = ['X-Request-Id', 'X-Content-Type-Options', 'Connection'];

/** What every problem carries besides. */
export const PROBLEM_HEADERS = ['Cache-Control'];

/** What the answers of a status carry besides, when they are problems. */
export const HEADERS_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** What tells browsers how to treat a page. */
export const HTML_HEADERS = [
  'Cache-Control',
  'Content-Security-Policy',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Resource-Policy',
  'Referrer-Policy',
  'X-Frame-Options',
];

export function headers(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, reference('headers', name)]));
}

/** Every header that an answer may carry; `required` are those that are there wherever an answer names them. */
export function headerComponents({ quota: { perSecond } }: DocumentConfig): Record<string, Header> {
  const rateLimit = rateLimitHeaders(perSecond, { free: perSecond - 1, nextFreeInMs: 900 });
  const draft = 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/';
  return {
    'X-Request-Id': {
      ...text(
        "The caller's, when it sent one that can be taken, else a new one. The log has it too.",
        REQUEST_ID,
      ),
      example: REQUEST_ID_EXAMPLE,
    },
    'RateLimit-Policy': {
      ...text(
        `The quota: so many calls in a window of so many seconds ([draft](${draft})).`,
        /^"stop";q=\d+;w=1$/,
      ),
      required: false,
      example: rateLimit['ratelimit-policy'],
    },
    RateLimit: {
      ...text(
        `How many slots are free, and in how many seconds one frees ([draft](${draft})). On every answer to a caller whose key is valid.`,
        /^"stop";r=\d+;t=\d+$/,
      ),
      required: false,
      example: rateLimit['ratelimit'],
    },
    'Retry-After': {
      description: 'Whole seconds to stay away; never earlier than a call could be served.',
      required: true,
      schema: { type: 'integer', minimum: 1 },
      example: 1,
    },
    'WWW-Authenticate': { ...text('How to authenticate.', /^Bearer$/), example: 'Bearer' },
    Allow: { ...text('The methods that the path takes.', /^[A-Z]+(, [A-Z]+)*$/), example: 'DELETE' },
    'Preference-Applied': {
      ...text('What of `Prefer` was honoured, when it could be understood.', /^wait=\d+$/),
      required: false,
      example: `wait=${MAX_WAIT_S}`,
    },
    Connection: {
      ...text('`close` when this replica is leaving, or has seen too many wrong keys: use a new connection.'),
      required: false,
      example: 'close',
    },
    'Cache-Control': text('Whether the answer may be kept.'),
    Vary: text('What the answer was chosen by.'),
    'X-Content-Type-Options': text('The type is the one that Content-Type names.', /^nosniff$/),
    'Content-Security-Policy': ofPage('What the page may use; nothing from elsewhere.'),
    'Cross-Origin-Opener-Policy': ofPage('No other site may hold on to the page.', /^same-origin$/),
    'Cross-Origin-Resource-Policy': ofPage('No other site may include it.', /^same-origin$/),
    'Referrer-Policy': ofPage('Links from the page do not tell where they were.', /^no-referrer$/),
    'X-Frame-Options': ofPage('No site may frame the page.', /^DENY$/),
  };
}

/** Not on what the same path answers in JSON. */
function ofPage(description: string, pattern?: RegExp): Header {
  return { ...text(description, pattern), required: false };
}

function text(description: string, pattern?: RegExp): Header {
  return {
    description,
    required: true,
    schema: { type: 'string', ...(pattern && { pattern: pattern.source }) },
  };
}
