import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signedStop } from '../../apps/sandbox/src/testing/signed-stop.js';
import { TcpProxy } from '../support/redis.js';
import { MonitoredGateway } from '../support/monitored-gateway.js';

let proxy: TcpProxy;
let monitored: MonitoredGateway;

beforeAll(async () => {
  monitored = await MonitoredGateway.start(async (port) => {
    proxy = await TcpProxy.start(port);
    return proxy.url.replace('redis:', 'http:');
  });
});

afterAll(async () => {
  await monitored.close();
  await proxy.close();
});

// Each incident: it happens, its alert fires, the remedy of its runbook is applied, the alert is over.
describe('an incident of the cloud', () => {
  it('calls fail: IngestGatewayErrorBudgetBurnFast, until the cloud is well', async () => {
    monitored.sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 'always', probability: 0.3 },
    ]);
    await monitored.waitUntilFiring('IngestGatewayErrorBudgetBurnFast');
    monitored.sandbox.setFaults([]);
    await monitored.waitUntilResolved('IngestGatewayErrorBudgetBurnFast');
  });

  it('nothing comes back: IngestGatewayCircuitOpen, until the way there is mended', async () => {
    proxy.disconnect();
    await monitored.waitUntilFiring('IngestGatewayCircuitOpen');
    expect(monitored.hasLogged('circuit')).toBe(true);
    proxy.reconnect();
    await monitored.waitUntilResolved('IngestGatewayCircuitOpen');
  });

  it('answers are slow: IngestGatewayUpstreamSlow, until they are not', async () => {
    monitored.sandbox.setDelays({ response: { minMs: 1300, maxMs: 1600 } });
    await monitored.waitUntilFiring('IngestGatewayUpstreamSlow');
    monitored.sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } });
    await monitored.waitUntilResolved('IngestGatewayUpstreamSlow');
  });

  it('somebody else uses the account: IngestGatewayQuotaLowered, until they stop', async () => {
    const [credentials] = monitored.sandbox.credentials;
    const stopOtherCaller = monitored.repeatEvery(20, async () => {
      const { headers, body } = signedStop({ credentials: credentials!, taskId: 'of-somebody-else' });
      await fetch(monitored.sandbox.httpUrl, { method: 'POST', headers, body });
    });
    await monitored.waitUntilFiring('IngestGatewayQuotaLowered');
    expect(monitored.hasLogged('quota-capacity-reduced')).toBe(true);
    await stopOtherCaller();
    await monitored.waitUntilResolved('IngestGatewayQuotaLowered');
  });

  it('the clocks differ: IngestGatewayClockSkew, until the clock is set', async () => {
    monitored.sandbox.setSettings({ clockOffsetSeconds: 1800 });
    await monitored.waitUntilFiring('IngestGatewayClockSkew');
    expect(monitored.hasLogged('clock-skew-corrected')).toBe(true);
    monitored.sandbox.setSettings({ clockOffsetSeconds: 0 });
    await monitored.waitUntilResolved('IngestGatewayClockSkew');
  });
});
