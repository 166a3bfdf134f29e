import { ApiError } from './api-error.js';

/** The parsed `Authorization` header of TC3-HMAC-SHA256. */
export interface Authorization {
  readonly secretId: string;
  /** UTC, `YYYY-MM-DD`. */
  readonly date: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  /** 64 lowercase hexadecimal digits. */
  readonly signature: string;
}

const PATTERN =
  /^TC3-HMAC-SHA256 Credential=(?<secretId>[^/\s,]+)\/(?<date>\d{4}-\d{2}-\d{2})\/(?<service>[a-z0-9-]+)\/tc3_request, SignedHeaders=(?<names>[a-z0-9-]+(?:;[a-z0-9-]+)*), Signature=(?<signature>[0-9a-f]{64})$/;

/** @throws {@link ApiError} `AuthFailure.InvalidAuthorization` */
export function parseAuthorization(header: string | undefined): Authorization {
  if (header === undefined) throw invalidAuthorization('The request carries no `Authorization` header.');
  const { secretId, date, service, names, signature } = PATTERN.exec(header)?.groups ?? {};
  if (!secretId || !date || !service || !names || !signature) {
    throw invalidAuthorization(
      'The format of `Authorization` must be "TC3-HMAC-SHA256 Credential=SecretId/Date/Service/tc3_request, SignedHeaders=Headers, Signature=Signature".',
    );
  }

  const signedHeaders = names.split(';');
  for (const required of ['content-type', 'host']) {
    if (!signedHeaders.includes(required))
      throw invalidAuthorization(`\`SignedHeaders\` must contain "${required}".`);
  }
  if (signedHeaders.some((name, i) => i > 0 && name <= (signedHeaders[i - 1] ?? ''))) {
    throw invalidAuthorization('`SignedHeaders` must be in ascending order, each name once.');
  }
  return { secretId, date, service, signedHeaders, signature };
}

function invalidAuthorization(message: string): ApiError {
  return new ApiError('AuthFailure.InvalidAuthorization', message);
}
