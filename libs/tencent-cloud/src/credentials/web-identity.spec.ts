import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/manual-clock.js';
import { CredentialsUnavailableError } from './credentials-provider.js';
import { webIdentityProvider } from './web-identity.js';

let close: () => void = () => {};

afterEach(() => close());

const issued = { TmpSecretId: 'AKIDpod', TmpSecretKey: 'pod-key', Token: 'pod-token' };

/** Starts a security token service whose response a test can change, and a provider that uses it. */
async function createProvider(read = async () => 'jwt-1\n') {
  const clock = new ManualClock();
  const events: string[] = [];
  const requests: { headers: http.IncomingHttpHeaders; body: unknown }[] = [];
  const service = {
    body: JSON.stringify({
      Response: { Credentials: issued, ExpiredTime: clock.wallClockMs() / 1000 + 3600, RequestId: 'r' },
    }),
    status: 200,
  };
  const respond = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    requests.push({ headers: request.headers, body: await json(request) });
    response.sendDate = false;
    response.writeHead(service.status).end(service.body);
  };
  const server = http.createServer((request, response) => void respond(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider = webIdentityProvider({
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    region: 'ap-singapore',
    providerId: 'cluster-1',
    roleArn: 'qcs::cam::uin/1:roleName/stop',
    tokenFile: '/token',
    read,
    clock,
    observer: {
      loaded: (expiresAtMs) => void events.push(`until +${(expiresAtMs - clock.startMs) / 60_000} min`),
      failed: (reason) => void events.push(reason),
    },
  });
  close = () => {
    provider.stop();
    server.closeAllConnections();
    server.close();
  };
  return { clock, events, requests, service, provider };
}

describe('webIdentityProvider', () => {
  it('exchanges the token of the pod for credentials, without a signature', async () => {
    const { provider, requests, events } = await createProvider();
    await provider.start();
    const { secretId, secretKey, token } = provider.getCredentials();
    expect([secretId, secretKey, token]).toEqual(['AKIDpod', 'pod-key', 'pod-token']);
    expect(events).toEqual(['until +60 min']);
    expect(requests).toHaveLength(1);
    expect(requests[0]!.headers).toMatchObject({
      authorization: 'SKIP',
      'content-type': 'application/json',
      'x-tc-action': 'AssumeRoleWithWebIdentity',
      'x-tc-version': '2018-08-13',
      'x-tc-region': 'ap-singapore',
      'x-tc-timestamp': '1767225600',
    });
    expect(requests[0]!.headers).not.toHaveProperty('x-tc-token');
    expect(requests[0]!.body).toEqual({
      ProviderId: 'cluster-1',
      WebIdentityToken: 'jwt-1',
      RoleArn: 'qcs::cam::uin/1:roleName/stop',
      RoleSessionName: 'ingest-gateway',
    });
  });

  it('reads the token before each request, because the cluster replaces it', async () => {
    let reads = 0;
    const { provider, requests } = await createProvider(async () => `jwt-${(reads += 1)}`);
    await provider.start();
    await provider.renew();
    expect(requests.map(({ body }) => body)).toMatchObject([
      { WebIdentityToken: 'jwt-1' },
      { WebIdentityToken: 'jwt-2' },
    ]);
  });

  it('sends nothing when the token cannot be read, and does not report the path', async () => {
    const { provider, requests, events } = await createProvider(() =>
      Promise.reject(Object.assign(new Error('/token'), { code: 'ENOENT' })),
    );
    await provider.start();
    expect(events).toEqual(['the token of the pod cannot be read (ENOENT)']);
    expect(requests).toEqual([]);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });

  it.each<[string, number, unknown, string]>([
    [
      'an error, and reports its code',
      200,
      { Response: { Error: { Code: 'InvalidParameter.OverTimeError', Message: 'jwt-1' } } },
      'the security token service rejected the request (InvalidParameter.OverTimeError)',
    ],
    [
      'an error code that contains the token',
      200,
      { Response: { Error: { Code: 'jwt-1' } } },
      'the security token service rejected the request (unknown)',
    ],
    ['another status', 403, 'jwt-1', 'the security token service returned HTTP 403'],
    ['no object', 200, null, 'the security token service did not return credentials'],
    [
      'no credentials',
      200,
      { Response: { ExpiredTime: 1_767_229_200 } },
      'the security token service did not return credentials',
    ],
    [
      'an expiry that is text',
      200,
      { Response: { Credentials: issued, ExpiredTime: '1767229200' } },
      'the security token service did not return credentials',
    ],
    [
      'expired credentials',
      200,
      { Response: { Credentials: issued, ExpiredTime: 1_767_225_600 } },
      'the security token service returned expired credentials',
    ],
    [
      'too many bytes',
      200,
      'x'.repeat(100_000),
      'the security token service cannot be reached (ERR_BAD_RESPONSE)',
    ],
  ])('rejects a response with %s', async (_, status, body, reason) => {
    const { provider, service, events } = await createProvider();
    Object.assign(service, { status, body: JSON.stringify(body) });
    await provider.start();
    expect(events).toEqual([reason]);
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
  });
});
