import http from 'node:http';
import { text } from 'node:stream/consumers';
import type { SandboxCredentials } from '../../apps/sandbox/src/credentials.js';
import { listen } from './free-port.js';

export interface SecurityTokenService {
  readonly url: string;
  /** The web identity token that it accepts. */
  acceptedToken: string;
  readonly requests: { headers: http.IncomingHttpHeaders; body: Record<string, unknown> }[];
  close(): void;
}

/** Starts a simulation of Tencent Cloud's security token service, which issues these credentials for an hour. */
export async function startSecurityTokenService(issued: SandboxCredentials): Promise<SecurityTokenService> {
  const respond = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    service.requests.push({ headers: request.headers, body });
    const expiredTime = Math.floor(Date.now() / 1000) + 3600;
    const result =
      body['WebIdentityToken'] === service.acceptedToken
        ? {
            Credentials: {
              TmpSecretId: issued.secretId,
              TmpSecretKey: issued.secretKey,
              Token: issued.token,
            },
            ExpiredTime: expiredTime,
            Expiration: new Date(expiredTime * 1000).toISOString(),
          }
        : {
            Error: {
              Code: 'InvalidParameter.WebIdentityTokenError',
              Message: String(body['WebIdentityToken']),
            },
          };
    const RequestId = '71993312-6ab8-4768-9124-118e0a20c45f';
    response.end(JSON.stringify({ Response: { ...result, RequestId } }));
  };
  const server = http.createServer((request, response) => void respond(request, response));
  const service: SecurityTokenService = {
    url: `http://127.0.0.1:${await listen(server)}`,
    acceptedToken: '',
    requests: [],
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return service;
}
