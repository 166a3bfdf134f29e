import http from 'node:http';
import type { SandboxCredentials } from '../../apps/sandbox/src/credentials.js';
import { listen } from './free-port.js';

/** A simulation of Tencent Cloud's instance metadata service with one role. */
export interface MetadataService {
  readonly url: URL;
  /** The credentials in its responses. Undefined: it responds with 500. */
  issued: { credentials: SandboxCredentials; lifetimeMs: number } | undefined;
  requestCount: number;
  close(): void;
}

export async function startMetadataService(role: string): Promise<MetadataService> {
  const server = http.createServer((request, response) => {
    service.requestCount += 1;
    const isKnownRole = request.url === `/latest/meta-data/cam/security-credentials/${role}`;
    if (!service.issued || !isKnownRole) {
      response.writeHead(isKnownRole ? 500 : 404).end();
      return;
    }
    const { credentials, lifetimeMs } = service.issued;
    const expireAtMs = Date.now() + lifetimeMs;
    response.end(
      JSON.stringify({
        TmpSecretId: credentials.secretId,
        TmpSecretKey: credentials.secretKey,
        Token: credentials.token,
        ExpiredTime: Math.floor(expireAtMs / 1000),
        Expiration: new Date(expireAtMs).toISOString(),
        Code: 'Success',
      }),
    );
  });
  const port = await listen(server);
  const service: MetadataService = {
    url: new URL(`http://127.0.0.1:${port}`),
    issued: undefined,
    requestCount: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return service;
}
