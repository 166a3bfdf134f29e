import type { Clock } from '../clock.js';
import type { ProxyOptions } from '../proxy-tunnel.js';
import { type CredentialsObserver, InvalidCredentialsError } from './credentials-provider.js';
import { parseIssuedCredentials } from './parse-issued-credentials.js';
import { requestJson, toObject } from './request-json.js';
import { TemporaryCredentialsProvider } from './temporary-credentials-provider.js';

const ISSUER = 'the security token service';

/** In milliseconds. The service may be in another region. */
const TIMEOUT_MS = 5000;

/** Codes of this format are safe to log. */
const ERROR_CODE = /^[A-Za-z.]{1,100}$/;

export interface WebIdentityOptions {
  /** Origin of the security token service. */
  endpoint: URL;
  region: string;
  /** The identity provider of the cluster, in CAM. */
  providerId: string;
  /** The CAM role that trusts the identity provider. */
  roleArn: string;
  /** The file with the token of the pod. It is read before each request, because the cluster replaces it. */
  tokenFile: string;
  /** Trusted certificates in PEM format, instead of those of the system. */
  ca?: string | undefined;
  /** The proxy of all connections. */
  proxy?: ProxyOptions | undefined;
  /** Reads a file, in a limited time. */
  read: (file: string) => Promise<string>;
  clock: Clock;
  observer?: CredentialsObserver;
}

/**
 * Provides temporary credentials for the identity of a pod: the security token service exchanges the token of its
 * service account for credentials of a CAM role.
 *
 * @see https://www.tencentcloud.com/document/product/1150/50340 (AssumeRoleWithWebIdentity)
 */
export function webIdentityProvider(options: WebIdentityOptions): TemporaryCredentialsProvider {
  const { endpoint, region, providerId, roleArn, clock, ca, proxy, observer } = options;
  const connection = { connectTimeoutMs: TIMEOUT_MS, clock, ca, proxy };
  return new TemporaryCredentialsProvider({
    issuer: ISSUER,
    timeoutMs: TIMEOUT_MS,
    clock,
    ...(observer && { observer }),
    fetch: async (signal) => {
      const { body, date } = await requestJson(ISSUER, endpoint, connection, {
        method: 'POST',
        headers: {
          Authorization: 'SKIP',
          'Content-Type': 'application/json',
          'X-TC-Action': 'AssumeRoleWithWebIdentity',
          'X-TC-Version': '2018-08-13',
          'X-TC-Region': region,
          'X-TC-Timestamp': String(Math.floor(clock.wallClockMs() / 1000)),
        },
        data: JSON.stringify({
          ProviderId: providerId,
          WebIdentityToken: await readToken(options),
          RoleArn: roleArn,
          RoleSessionName: 'ingest-gateway',
        }),
        signal,
      });
      const { Credentials, ExpiredTime, Error: error } = toObject(body['Response']);
      if (error !== undefined) throw new InvalidCredentialsError(describeRejection(toObject(error)['Code']));
      return parseIssuedCredentials(ISSUER, toObject(Credentials), ExpiredTime, date);
    },
  });
}

async function readToken({ read, tokenFile }: WebIdentityOptions): Promise<string> {
  try {
    return (await read(tokenFile)).trimEnd();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new InvalidCredentialsError(`the token of the pod cannot be read (${code})`);
  }
}

function describeRejection(code: unknown): string {
  const isCode = typeof code === 'string' && ERROR_CODE.test(code);
  return `${ISSUER} rejected the request (${isCode ? code : 'unknown'})`;
}
