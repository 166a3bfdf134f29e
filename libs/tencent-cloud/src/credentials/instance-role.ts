import type { Clock } from '../clock.js';
import { type CredentialsObserver, InvalidCredentialsError } from './credentials-provider.js';
import { parseIssuedCredentials } from './parse-issued-credentials.js';
import { requestJson } from './request-json.js';
import { TemporaryCredentialsProvider } from './temporary-credentials-provider.js';

/** Origin of the instance metadata service. */
export const METADATA_SERVICE_ORIGIN = new URL('http://metadata.tencentyun.com');
const PATH = '/latest/meta-data/cam/security-credentials/';

const ISSUER = 'the metadata service';

/** The service runs on the same host: a slow response is a failure. */
const TIMEOUT_MS = 2000;

export interface InstanceRoleOptions {
  /** The CAM role that is bound to the instance. */
  role: string;
  clock: Clock;
  observer?: CredentialsObserver;
  /** Origin of the metadata service: {@link METADATA_SERVICE_ORIGIN}, except in tests. */
  endpoint: URL;
}

/**
 * Provides the temporary credentials of the instance's CAM role, from the metadata service.
 *
 * @see https://www.tencentcloud.com/document/product/213/4934
 */
export function instanceRoleProvider({ role, endpoint, ...options }: InstanceRoleOptions) {
  const url = new URL(PATH + encodeURIComponent(role), endpoint);
  // Never through a proxy: the address of the service is local to the instance.
  const connection = { connectTimeoutMs: TIMEOUT_MS, clock: options.clock };
  return new TemporaryCredentialsProvider({
    ...options,
    issuer: ISSUER,
    timeoutMs: TIMEOUT_MS,
    fetch: async (signal) => {
      const { body, date } = await requestJson(ISSUER, url, connection, { signal });
      if (body['Code'] !== 'Success')
        throw new InvalidCredentialsError(`${ISSUER} did not return the code Success`);
      return parseIssuedCredentials(ISSUER, body, body['ExpiredTime'], date);
    },
  });
}
