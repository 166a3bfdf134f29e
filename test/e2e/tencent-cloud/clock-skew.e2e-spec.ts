import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send, stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';

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

describe.each([-3600, 3600])('a clock that is %d seconds off the cloud’s', (clockOffsetSeconds) => {
  it('is corrected by the Date of the refusal, once, and shown', async () => {
    sandbox.setSettings({ clockOffsetSeconds });
    expect((await stopTask(gateway.url, 'a')).status).toBe(200);
    expect((await stopTask(gateway.url, 'b')).status).toBe(200);
    expect(sandbox.receivedRequests().map(({ responseCode }) => responseCode)).toEqual([
      'AuthFailure.SignatureExpire',
      'OK',
      'OK',
    ]);
    const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
    const shown = Number(/^tencentcloud_clock_offset_seconds (-?[\d.]+)$/m.exec(text)![1]);
    expect(Math.abs(shown - clockOffsetSeconds)).toBeLessThan(60);
    expect(text).toContain('tencentcloud_retries_total{reason="clock-skew"} 1\n');
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'clock-skew-corrected' }),
    );
  });
});

describe('a refusal of the time that no Date can explain', () => {
  it('is not repeated', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'AuthFailure.SignatureExpire' }, times: 'always' }]);
    const { status, body } = await stopTask(gateway.url, 'a');
    expect({ status, ...body }).toMatchObject({ status: 502, code: 'upstream-refused-gateway' });
    expect(sandbox.receivedRequests()).toHaveLength(1);
  });
});
