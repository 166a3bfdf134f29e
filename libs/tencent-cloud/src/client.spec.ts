import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../test/manual-clock.js';
import { TencentCloudClient } from './client.js';
import { Credentials } from './credentials/credentials.js';
import type { Permit, ReleaseReason } from './permit.js';
import { type StopResult, stopStreamIngest } from './stop-stream-ingest.js';

let server: Server | undefined;
let client: TencentCloudClient;

afterEach(async () => {
  client.close();
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(respond: (response: ServerResponse) => void): Promise<URL> {
  server = createServer((_request, response) => respond(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

interface StopOptions {
  acquirePermit?: () => Promise<Permit>;
  getCredentials?: () => Credentials;
  maxAttempts?: number;
}

const freePermit = () => Promise.resolve<Permit>({ release: () => {} });

function stop(endpoint: URL, options: StopOptions): Promise<StopResult> {
  const {
    acquirePermit = freePermit,
    getCredentials = () => new Credentials('id', 'key'),
    maxAttempts = 3,
  } = options;
  const timing = { attemptTimeoutMs: 3000, deadlineMs: 8000, clock: new ManualClock(), random: () => 0 };
  client = new TencentCloudClient({ endpoint, getCredentials, maxAttempts, ...timing });
  return stopStreamIngest(client, { taskId: 't', sdkAppId: 1 }, { region: 'ap-singapore', acquirePermit });
}

/** The first reason for which the permit of each attempt was released. */
async function releases(
  endpoint: URL,
  getCredentials = () => new Credentials('id', 'key'),
  maxAttempts = 1,
): Promise<ReleaseReason[]> {
  const reasons: ReleaseReason[] = [];
  const acquirePermit = async () => {
    const attempt = reasons.length;
    return { release: (reason: ReleaseReason) => void (reasons[attempt] ??= reason) };
  };
  await stop(endpoint, { acquirePermit, getCredentials, maxAttempts }).catch(() => {});
  return reasons;
}

const error = (code: string) =>
  JSON.stringify({ Response: { RequestId: 'r-1', Error: { Code: code, Message: 'm' } } });

function noCredentials(): never {
  throw new Error('no credentials');
}

describe('the permit of an attempt', () => {
  it.each<[ReleaseReason, string, (response: ServerResponse) => void]>([
    ['throttled', 'it is RequestLimitExceeded', (response) => response.end(error('RequestLimitExceeded'))],
    [
      'throttled',
      'its code begins with that',
      (response) => response.end(error('RequestLimitExceeded.UinLimitExceeded')),
    ],
    [
      'completed',
      'its code only looks like that',
      (response) => response.end(error('RequestLimitExceededElsewhere')),
    ],
    ['completed', 'the task has ended', (response) => response.end(error('FailedOperation.TaskFinished'))],
    ['completed', 'it is an error of the cloud', (response) => response.end(error('InternalError'))],
    ['completed', 'it is a success', (response) => response.end('{"Response":{"RequestId":"r-1"}}')],
    ['completed', 'it has no meaning', (response) => response.writeHead(500).end('RequestLimitExceeded')],
    ['abandoned', 'the connection ends without it', (response) => response.destroy()],
  ])('is released as %s after a response when %s', async (reason, _, respond) => {
    expect(await releases(await serve(respond))).toEqual([reason]);
  });

  it('is released as completed when no connection was made', async () => {
    const endpoint = await serve(() => {});
    server!.close();
    await once(server!, 'close');
    expect(await releases(endpoint)).toEqual(['completed']);
  });

  it('is released as unused when nothing was sent', async () => {
    expect(await releases(await serve(() => {}), noCredentials)).toEqual(['unused']);
  });
});

const throttled = (response: ServerResponse) => void response.end(error('RequestLimitExceeded'));

describe('the error of a call whose retry is not sent', () => {
  const throttledError = { name: 'CloudRejectedError', cloudCode: 'RequestLimitExceeded' };

  it.each<[string, (response: ServerResponse) => void, object]>([
    ['it was throttled', throttled, throttledError],
    ['it got no response', (response) => response.destroy(), { name: 'CloudFailedError' }],
  ])(
    'is the error of the first attempt when %s and the retry gets no permit',
    async (_, respond, expected) => {
      let permits = 0;
      const acquirePermit = async () => {
        permits += 1;
        if (permits > 1) throw new Error('no slot');
        return { release: () => {} };
      };
      await expect(stop(await serve(respond), { acquirePermit })).rejects.toMatchObject(expected);
      expect(permits).toBe(2);
    },
  );

  it('is the error of the first attempt when the retry gets no credentials', async () => {
    let requests = 0;
    const getCredentials = () => {
      requests += 1;
      return requests > 1 ? noCredentials() : new Credentials('id', 'key');
    };
    await expect(stop(await serve(throttled), { getCredentials })).rejects.toMatchObject(throttledError);
    expect(requests).toBe(2);
  });

  it('is the error of the permit when no attempt was sent', async () => {
    const call = stop(await serve(throttled), { acquirePermit: () => Promise.reject(new Error('no slot')) });
    await expect(call).rejects.toThrow('no slot');
  });
});

describe('a call whose clock was corrected', () => {
  it('is not retried again after a definite error', async () => {
    const codes = ['AuthFailure.SignatureExpire', 'ResourceNotFound'];
    const endpoint = await serve((response) => {
      response.setHeader('date', 'Thu, 01 Jan 1970 00:00:00 GMT');
      response.end(error(codes.shift() ?? 'FailedOperation'));
    });
    expect(await releases(endpoint, undefined, 3)).toEqual(['completed', 'completed']);
  });
});
