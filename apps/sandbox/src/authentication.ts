import { parseAuthorization } from './authorization-header.js';
import type { CloudRequest } from './cloud-request.js';
import type { SandboxCredentials } from './credentials.js';
import { ApiError } from './api-error.js';
import { isSignedBy } from './signature.js';

const SERVICE = 'trtc';
const TOLERANCE_SECONDS = 300;

/**
 * Checks that this request was signed with one of the credentials, and that its timestamp is at most five minutes off.
 *
 * @param now wall clock of the cloud, in milliseconds since the epoch
 * @throws {@link ApiError} `AuthFailure.*`, or `MissingParameter` for a missing header
 */
export function authenticate(
  request: CloudRequest,
  credentials: readonly SandboxCredentials[],
  now: number,
): void {
  const { headers } = request;
  const contentType = headers['content-type'];
  if (!contentType) throw new ApiError('MissingParameter', 'The request header `Content-Type` is missing.');

  const timestamp = parseTimestamp(headers['x-tc-timestamp']);
  const authorization = parseAuthorization(headers['authorization']);
  for (const name of authorization.signedHeaders) {
    if (headers[name] === undefined) throw invalidAuthorization(`The signed header "${name}" was not sent.`);
  }
  if (authorization.service !== SERVICE) {
    throw invalidAuthorization(
      `The service in \`Credential\` is "${authorization.service}", not "${SERVICE}".`,
    );
  }
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10);
  if (authorization.date !== date) {
    throw invalidAuthorization(
      `The date in \`Credential\` is ${authorization.date}, the timestamp is of ${date} (UTC).`,
    );
  }

  const signer = credentials.find(({ secretId }) => secretId === authorization.secretId);
  if (!signer) {
    throw new ApiError(
      'AuthFailure.SecretIdNotFound',
      'The SecretId is not found, please ensure it is correct.',
    );
  }
  const age = Math.floor(now / 1000) - timestamp;
  if (Math.abs(age) > TOLERANCE_SECONDS) {
    throw new ApiError(
      'AuthFailure.SignatureExpire',
      `The request is expired: its timestamp is ${Math.abs(age)} s ${age > 0 ? 'behind' : 'ahead of'} the server's clock.`,
    );
  }
  if (headers['x-tc-token'] !== signer.token) {
    throw new ApiError('AuthFailure.TokenFailure', 'The token does not belong to this SecretId.');
  }
  if (!isSignedBy(signer.secretKey, request, authorization)) {
    throw new ApiError(
      'AuthFailure.SignatureFailure',
      'The provided credentials could not be validated. Please check your signature is correct.',
    );
  }
}

function parseTimestamp(header: string | undefined): number {
  if (header === undefined) {
    throw new ApiError('MissingParameter', 'The request header `X-TC-Timestamp` is missing.');
  }
  // Twelve digits reach the year 33658; Date supports years up to 275760.
  if (!/^\d{1,12}$/.test(header))
    throw invalidAuthorization('`X-TC-Timestamp` must be an integer, in seconds.');
  return Number(header);
}

function invalidAuthorization(message: string): ApiError {
  return new ApiError('AuthFailure.InvalidAuthorization', message);
}
