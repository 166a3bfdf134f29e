import http from 'node:http';
import type { SandboxCredentials } from '../../apps/sandbox/src/credentials.js';
import { listen } from './free-port.js';

/** A stand-in for the cloud's metadata service, which knows one role. */
export interface MetadataService {
  readonly url: URL;
  /** What it hands out; undefined: it fails. */
  issued: { credentials: SandboxCredentials; lifeMs: number } | undefined;
  requestCount: number;
  close(): void;
}

export async function startMetadataService(role: string): Promise<MetadataService> {
  const server = http.createServer((request, response) => {
    service.requestCount += 1;
    const known = request.url === `/latest/meta-data/cam/security-credentials/${role}`;
    if (!service.issued || !known) {
      response.writeHead(known ? 500 : 404).end();
      return;
    }
    const { credentials, lifeMs } = service.issued;
    const expireAtMs = Date.now() + lifeMs;
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
