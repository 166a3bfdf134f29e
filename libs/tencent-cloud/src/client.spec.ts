import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../test/manual-clock.js';
import { type ClientOptions, TencentCloudClient } from './client.js';
import { Credentials } from './credentials/credentials.js';
import type { Attempt } from './observer.js';
import type { ReleaseReason } from './permit.js';
import { type StopResult, stopStreamIngest } from './stop-stream-ingest.js';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 1);

type Responder = (response: ServerResponse) => void;

const stopped: Responder = (response) =>
  response.end('{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001"}}');
const noResponse: Responder = (response) => response.destroy();
const endInBody: Responder = (response) => {
  response.writeHead(200, { 'content-length': 100 }).write('{"Response":', () => response.socket!.end());
};
const failed: Responder = (response) => response.writeHead(500).end('RequestLimitExceeded');
const rejected =
  (code: string, date: number | string = START): Responder =>
  (response) => {
    response.setHeader('date', typeof date === 'string' ? date : new Date(date).toUTCString());
    response.end(
      JSON.stringify({
        Response: { RequestId: '00000000-0000-4000-8000-000000000002', Error: { Code: code, Message: 'm' } },
      }),
    );
  };

function throwNoCredentials(): never {
  throw new Error('no credentials');
}

async function throwNoPermit(): Promise<never> {
  throw new Error('no permit');
}

/** A clock that records the delay of each timer. */
class RecordingClock extends ManualClock {
  readonly delaysMs: number[] = [];

  override setTimer(ms: number, callback: () => void): () => void {
    this.delaysMs.push(ms);
    return super.setTimer(ms, callback);
  }
}

let server: Server;
let client: TencentCloudClient;
let requests: { headers: IncomingMessage['headers']; body: string }[];
let events: string[];
let attempts: Attempt[];
/** The first reason for which the permit of each attempt was released. */
let releases: (ReleaseReason | undefined)[];
let maxWaitsMs: (number | undefined)[];

afterEach(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

/** Starts a client of a cloud that sends these responses, and then the last one repeatedly. */
async function start(responders: Responder[], options: Partial<ClientOptions> = {}): Promise<void> {
  [requests, events, attempts, releases, maxWaitsMs] = [[], [], [], [], []];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const responder = responders[requests.length] ?? responders.at(-1)!;
    requests.push({ headers: request.headers, body: await text(request) });
    responder(response);
  };
  server = createServer((request, response) => void respond(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new TencentCloudClient({
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    getCredentials: () => new Credentials('AKIDexample', 'secret-key'),
    renewCredentials: () => Promise.resolve(),
    attemptTimeoutMs: 3000,
    deadlineMs: 8000,
    maxAttempts: 3,
    random: () => 0,
    clock: new ManualClock(START),
    observer: {
      attemptCompleted: ({ code, durationMs }, action) => void events.push(`${action} ${code} ${durationMs}`),
      retried: (reason) => void events.push(`retried ${reason}`),
      circuitStateChanged: (state) => void events.push(state),
      clockCorrected: (offsetMs) => void events.push(`clock corrected by ${offsetMs}`),
    },
    ...options,
  });
}

/** Starts a cloud that advances the clock until the attempt has timed out. */
async function startSilentCloud(deadlineMs: number): Promise<void> {
  const clock = new RecordingClock();
  await start([() => clock.advance(clock.delaysMs.at(-1)!)], { clock, deadlineMs });
}

async function acquirePermit(maxWaitMs?: number) {
  maxWaitsMs.push(maxWaitMs);
  const index = releases.push(undefined) - 1;
  return { release: (reason: ReleaseReason) => void (releases[index] ??= reason) };
}

function stop(acquire = acquirePermit): Promise<StopResult> {
  const observer = { attemptCompleted: (attempt: Attempt) => void attempts.push(attempt) };
  const options = { region: 'ap-mumbai', acquirePermit: acquire, observer };
  return stopStreamIngest(client, { taskId: 'a/task', sdkAppId: 1400000001 }, options);
}

describe('stopStreamIngest', () => {
  it('sends one signed POST with the task and the region', async () => {
    await start([stopped]);
    await stop();
    expect(requests).toEqual([{ headers: expect.anything(), body: expect.any(String) }]);
    expect(JSON.parse(requests[0]!.body)).toEqual({ SdkAppId: 1400000001, TaskId: 'a/task' });
    expect(requests[0]!.headers).toMatchObject({
      'x-tc-action': 'StopStreamIngest',
      'x-tc-version': '2019-07-22',
      'x-tc-region': 'ap-mumbai',
      'x-tc-timestamp': '1767225600',
      authorization: expect.stringMatching(
        /^TC3-HMAC-SHA256 Credential=AKIDexample\/2026-01-01\/trtc\/tc3_request, /,
      ),
    });
    expect(requests[0]!.headers).not.toHaveProperty('x-tc-token');
  });

  it('sends the session token of temporary credentials', async () => {
    await start([stopped], { getCredentials: () => new Credentials('id', 'key', 'session-token') });
    await stop();
    expect(requests[0]!.headers['x-tc-token']).toBe('session-token');
  });

  const taskFinished = rejected('FailedOperation.TaskFinished');
  it.each([
    ['stopped', '00000000-0000-4000-8000-000000000001', 'the cloud stops the task', [stopped]],
    [
      'already-finished',
      '00000000-0000-4000-8000-000000000002',
      'the task ended before the call',
      [taskFinished],
    ],
    [
      'already-finished',
      '00000000-0000-4000-8000-000000000002',
      'all earlier attempts were rejected',
      [rejected('RequestLimitExceeded'), taskFinished],
    ],
    [
      'stopped',
      '00000000-0000-4000-8000-000000000002',
      'an earlier attempt may have ended the task',
      [failed, taskFinished],
    ],
  ])('returns %s with the RequestId %s when %s', async (status, requestId, _, responders) => {
    await start(responders);
    expect(await stop()).toEqual({ status, requestId });
  });
});

describe('the permit of an attempt', () => {
  it.each<[ReleaseReason, string, Responder]>([
    ['throttled', 'it is RequestLimitExceeded', rejected('RequestLimitExceeded')],
    ['throttled', 'its code begins with that', rejected('RequestLimitExceeded.UinLimitExceeded')],
    ['completed', 'its code only looks like that', rejected('RequestLimitExceededElsewhere')],
    ['completed', 'the task has ended', rejected('FailedOperation.TaskFinished')],
    ['completed', 'it is an error of the cloud', rejected('InternalError')],
    ['completed', 'it is a success', stopped],
    ['completed', 'it has no meaning', failed],
    ['abandoned', 'the connection ends without it', noResponse],
  ])('is released as %s after a response when %s', async (reason, _, responder) => {
    await start([responder], { maxAttempts: 1 });
    await stop().catch(() => {});
    expect(releases).toEqual([reason]);
  });

  it('is released as abandoned when a reused connection ends without a response', async () => {
    await start([stopped, noResponse], { maxAttempts: 1 });
    await stop();
    await expect(stop()).rejects.toMatchObject({ code: 'failed' });
    expect(releases).toEqual(['completed', 'abandoned']);
  });

  it('is released as completed when no connection was made', async () => {
    await start([stopped], { maxAttempts: 1 });
    server.close();
    await once(server, 'close');
    await expect(stop()).rejects.toMatchObject({ code: 'unreachable' });
    expect(releases).toEqual(['completed']);
  });

  it('is released as unused when nothing was sent', async () => {
    await start([stopped], { getCredentials: throwNoCredentials });
    await expect(stop()).rejects.toThrow('no credentials');
    expect(releases).toEqual(['unused']);
  });
});

describe('an attempt', () => {
  it('is reported with its code, its HTTP status and the RequestId', async () => {
    await start([rejected('InternalError'), failed, stopped]);
    await stop();
    const times = { startedAt: 0, durationMs: 0 };
    expect(attempts).toEqual([
      {
        ...times,
        code: 'InternalError',
        succeeded: false,
        status: 200,
        requestId: '00000000-0000-4000-8000-000000000002',
      },
      { ...times, code: 'malformed', succeeded: false, status: 500, requestId: undefined },
      {
        ...times,
        code: 'OK',
        succeeded: true,
        status: 200,
        requestId: '00000000-0000-4000-8000-000000000001',
      },
    ]);
    expect(events).toEqual([
      'StopStreamIngest InternalError 0',
      'retried failed',
      'StopStreamIngest malformed 0',
      'retried failed',
      'StopStreamIngest OK 0',
    ]);
  });

  it.each<[code: string, when: string, Responder]>([
    ['other', 'the connection ends before the headers', noResponse],
    ['other', 'the connection ends in the body', endInBody],
    ['malformed', 'the response is not HTTP', (response) => response.socket!.end('nonsense\r\n\r\n')],
    ['malformed', 'the response is too large', (response) => response.end(Buffer.alloc(1_100_000))],
    ['malformed', 'the response is not JSON', (response) => response.end('<html>')],
  ])('is reported as %s when %s', async (code, _, responder) => {
    await start([responder], { maxAttempts: 1 });
    await expect(stop()).rejects.toMatchObject({ code: 'failed' });
    expect(attempts).toMatchObject([{ code, succeeded: false, requestId: undefined }]);
  });

  it('is reported as a success when the task has already ended', async () => {
    await start([rejected('FailedOperation.TaskFinished')]);
    await stop();
    expect(attempts).toMatchObject([
      {
        code: 'FailedOperation.TaskFinished',
        succeeded: true,
        status: 200,
        requestId: '00000000-0000-4000-8000-000000000002',
      },
    ]);
  });

  it('fails when the client is closed', async () => {
    await start([() => client.close()], { maxAttempts: 1 });
    await expect(stop()).rejects.toMatchObject({ code: 'failed' });
  });
});

describe('retries', () => {
  it('are limited to the initial six, and then to one for each five calls', async () => {
    await start([rejected('RequestLimitExceeded')], { maxAttempts: 10 });
    const attemptCounts: number[] = [];
    for (let call = 1; call <= 6; call += 1) {
      const before = requests.length;
      await expect(stop()).rejects.toMatchObject({ cloudCode: 'RequestLimitExceeded' });
      attemptCounts.push(requests.length - before);
    }
    expect(attemptCounts).toEqual([7, 1, 1, 1, 1, 2]);
  });
});

describe('the error of a call whose retry is not sent', () => {
  const throttled = rejected('RequestLimitExceeded');

  it.each<[string, Responder, object]>([
    ['it was throttled', throttled, { cloudCode: 'RequestLimitExceeded' }],
    ['it got no response', noResponse, { code: 'failed' }],
  ])(
    'is the error of the first attempt when %s and the retry gets no permit',
    async (_, responder, error) => {
      await start([responder]);
      await expect(
        stop(() => (releases.length === 0 ? acquirePermit() : throwNoPermit())),
      ).rejects.toMatchObject(error);
      expect(requests).toHaveLength(1);
    },
  );

  it('is the error of the first attempt when the retry gets no credentials', async () => {
    await start([throttled], {
      getCredentials: () => (requests.length === 0 ? new Credentials('id', 'key') : throwNoCredentials()),
    });
    await expect(stop()).rejects.toMatchObject({ cloudCode: 'RequestLimitExceeded' });
    expect(releases).toEqual(['throttled', 'unused']);
  });

  it('is the error of the permit when no attempt was sent', async () => {
    await start([throttled]);
    await expect(stop(throwNoPermit)).rejects.toThrow('no permit');
  });
});

describe('a signature that the cloud rejects as expired', () => {
  const expired = rejected('AuthFailure.SignatureExpire', START + HOUR_MS);

  it('corrects the clock by the Date header, for the retry and for later calls', async () => {
    await start([expired, stopped]);
    expect(await stop()).toEqual({ status: 'stopped', requestId: '00000000-0000-4000-8000-000000000001' });
    await stop();
    expect(requests.map(({ headers }) => headers['x-tc-timestamp'])).toEqual([
      '1767225600',
      '1767229200',
      '1767229200',
    ]);
    expect(events.slice(1, 3)).toEqual(['clock corrected by 3600000', 'retried clock-skew']);
  });

  it('is not retried when the clock is right', async () => {
    await start([rejected('AuthFailure.SignatureExpire'), stopped]);
    await expect(stop()).rejects.toMatchObject({ cloudCode: 'AuthFailure.SignatureExpire' });
    expect(events).toEqual(['StopStreamIngest AuthFailure.SignatureExpire 0']);
  });

  it.each(['Mon, 01 Jan 1900 00:00:00 GMT', 'Sat, 13 Sep 275760 00:00:00 GMT', '-1', 'now'])(
    'leaves the clock as it is when the Date header is %s',
    async (date) => {
      await start([rejected('AuthFailure.SignatureExpire', date), stopped]);
      await expect(stop()).rejects.toMatchObject({ cloudCode: 'AuthFailure.SignatureExpire' });
      await expect(stop()).resolves.toMatchObject({ status: 'stopped' });
      expect(requests.map(({ headers }) => headers['x-tc-timestamp'])).toEqual(['1767225600', '1767225600']);
    },
  );

  it('drops a correction that the cloud rejects', async () => {
    await start([expired, expired, stopped]);
    await expect(stop()).rejects.toMatchObject({ cloudCode: 'AuthFailure.SignatureExpire' });
    await expect(stop()).resolves.toMatchObject({ status: 'stopped' });
    expect(requests.map(({ headers }) => headers['x-tc-timestamp'])).toEqual([
      '1767225600',
      '1767229200',
      '1767225600',
    ]);
    expect(events.filter((event) => event.startsWith('clock'))).toEqual([
      'clock corrected by 3600000',
      'clock corrected by 0',
    ]);
  });

  it('is retried for each of several calls in flight, although the first one corrects the clock', async () => {
    const pending: ServerResponse[] = [];
    const hold: Responder = (response) => {
      if (pending.push(response) === 3) for (const held of pending) expired(held);
    };
    await start([hold, hold, hold, stopped]);
    await expect(Promise.all([stop(), stop(), stop()])).resolves.toHaveLength(3);
    expect(events.filter((event) => event.startsWith('clock'))).toEqual(['clock corrected by 3600000']);
  });

  it('is not retried again after a definite error', async () => {
    await start([expired, rejected('ResourceNotFound')]);
    await expect(stop()).rejects.toMatchObject({ cloudCode: 'ResourceNotFound' });
    expect(releases).toEqual(['completed', 'completed']);
  });
});

/** Returns options whose credentials a renewal replaces, and the number of renewals. */
function renewable(renew = (old: number) => old + 1) {
  let id = 1;
  const renewals = { count: 0 };
  const options = {
    clock: new ManualClock(START),
    getCredentials: () => new Credentials(`id-${id}`, 'key'),
    renewCredentials: async () => {
      renewals.count += 1;
      await Promise.resolve();
      id = renew(id);
    },
  };
  return { options, renewals };
}
/** Returns the SecretId of each request. */
const secretIds = (): (string | undefined)[] =>
  requests.map(({ headers }) => /Credential=([^/]+)/.exec(headers.authorization!)?.[1]);

describe.each(['AuthFailure.TokenFailure', 'AuthFailure.SecretIdNotFound', 'AuthFailure.InvalidSecretId'])(
  'credentials that the cloud rejects with %s',
  (code) => {
    it('are renewed at once, and the call is retried with the new ones', async () => {
      const { options } = renewable();
      await start([rejected(code), stopped], options);
      await expect(stop()).resolves.toMatchObject({ status: 'stopped' });
      expect(secretIds()).toEqual(['id-1', 'id-2']);
      expect(events).toContain('retried credentials');
      expect(releases).toEqual(['completed', 'completed']);
    });

    it('are not used for a retry when there are no others', async () => {
      const { options, renewals } = renewable((id) => id);
      await start([rejected(code)], options);
      await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      expect([requests.length, renewals.count]).toEqual([1, 1]);
    });

    it('are renewed once in ten seconds when the source returns the same ones', async () => {
      const { options, renewals } = renewable((id) => id);
      await start([rejected(code)], options);
      for (let n = 0; n < 3; n += 1) await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      options.clock.advance(9999);
      await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      expect(renewals.count).toBe(1);
      options.clock.advance(1);
      await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      expect(renewals.count).toBe(2);
    });

    it('are renewed again at once when the new ones are rejected, too', async () => {
      const { options } = renewable();
      await start([rejected(code), stopped, rejected(code), stopped], options);
      await expect(stop()).resolves.toMatchObject({ status: 'stopped' });
      await expect(stop()).resolves.toMatchObject({ status: 'stopped' });
      expect(secretIds()).toEqual(['id-1', 'id-2', 'id-2', 'id-3']);
    });

    it('are replaced once in a call, and three times in ten seconds', async () => {
      const { options, renewals } = renewable();
      await start([rejected(code)], options);
      for (let n = 0; n < 4; n += 1) await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      expect(secretIds()).toEqual(['id-1', 'id-2', 'id-3', 'id-4', 'id-4', 'id-4']);
      expect(renewals.count).toBe(3);
      options.clock.advance(10_000);
      await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      expect(secretIds().slice(6)).toEqual(['id-4', 'id-5']);
    });

    it('are renewed once for all calls in flight, and each of them is retried', async () => {
      const pending: ServerResponse[] = [];
      const hold: Responder = (response) => {
        if (pending.push(response) === 20) for (const held of pending) rejected(code)(held);
      };
      const { options, renewals } = renewable();
      await start([...Array.from({ length: 20 }, () => hold), stopped], options);
      await expect(Promise.all(Array.from({ length: 20 }, () => stop()))).resolves.toHaveLength(20);
      expect(renewals.count).toBe(1);
    });

    it('delay the call no longer than until its deadline', async () => {
      const { options } = renewable();
      await start([rejected(code)], {
        ...options,
        renewCredentials: () => {
          queueMicrotask(() => options.clock.advance(8000));
          return new Promise(() => {});
        },
      });
      await expect(stop()).rejects.toMatchObject({ cloudCode: code });
      expect(requests).toHaveLength(1);
    });
  },
);

describe('a cloud that does not respond', () => {
  it('ends each attempt after the attempt timeout, and the last one at the deadline of the call', async () => {
    await startSilentCloud(8000);
    await expect(stop()).rejects.toMatchObject({ code: 'timeout' });
    expect(attempts.map(({ code, durationMs }) => `${code} ${durationMs}`)).toEqual([
      'timeout 3000',
      'timeout 3000',
      'timeout 2000',
    ]);
    expect(maxWaitsMs).toEqual([undefined, 5000, 2000]);
  });

  it('ends the call when 100 ms or less remain before the deadline', async () => {
    await startSilentCloud(3100);
    await expect(stop()).rejects.toMatchObject({ code: 'timeout' });
    expect(releases).toEqual(['abandoned']);
  });
});
