import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeEach(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  gateway = await startGateway(sandbox);
  gateway.logs.length = 0;
});

afterEach(async () => {
  await gateway.close();
  await sandbox.close();
});

describe.each([-3600, 3600])('a clock offset of %d seconds', (clockOffsetSeconds) => {
  it('is corrected once with the Date header of the error, logged and reported as a metric', async () => {
    sandbox.setSettings({ clockOffsetSeconds });
    expect((await stopTask(gateway.url, 'a')).status).toBe(200);
    expect((await stopTask(gateway.url, 'b')).status).toBe(200);
    expect(sandbox.receivedRequests().map(({ responseCode }) => responseCode)).toEqual([
      'AuthFailure.SignatureExpire',
      'OK',
      'OK',
    ]);
    const offset = await readMetric(gateway.url, 'tencentcloud_clock_offset_seconds');
    expect(Math.abs(offset - clockOffsetSeconds)).toBeLessThan(60);
    expect(await readMetric(gateway.url, 'tencentcloud_retries_total{reason="clock-skew"}')).toBe(1);
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        event: 'clock-skew-corrected',
        msg: 'signatures now use the clock of this machine plus offsetMs; if offsetMs is large, the clock is wrong: check NTP',
      }),
    );
  });
});

describe('SignatureExpire without a clock offset', () => {
  it('is not retried', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'AuthFailure.SignatureExpire' }, times: 'always' }]);
    expect(await stopTask(gateway.url, 'a')).toMatchObject({
      status: 502,
      body: { code: 'upstream-refused-gateway' },
    });
    expect(sandbox.receivedRequests()).toHaveLength(1);
  });
});

describe.each(['Mon, 01 Jan 1900 00:00:00 GMT', 'Sat, 13 Sep 275760 00:00:00 GMT'])(
  'a SignatureExpire with the Date header %s',
  (date) => {
    it('fails its own call only: the clock of signatures does not change', async () => {
      const body = JSON.stringify({
        Response: {
          Error: { Code: 'AuthFailure.SignatureExpire', Message: 'm' },
          RequestId: '71993312-6ab8-4768-9124-118e0a20c45f',
        },
      });
      sandbox.setFaults([{ fault: { kind: 'body', body, headers: { Date: date } }, times: 1 }]);
      expect(await stopTask(gateway.url, 'a')).toMatchObject({
        status: 502,
        body: { code: 'upstream-refused-gateway' },
      });
      expect((await stopTask(gateway.url, 'b')).status).toBe(200);
      expect(await readMetric(gateway.url, 'tencentcloud_clock_offset_seconds')).toBe(0);
    });
  },
);
