import { afterAll, describe, expect, it } from '@jest/globals';
import { signedStop } from '../../apps/sandbox/src/testing/signed-stop.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { MonitoredGateway } from '../support/monitored-gateway.js';

let proxy: TcpProxy;
const monitored = await MonitoredGateway.start(async (port) => {
  proxy = await TcpProxy.start(port);
  return `http://${proxy.host}`;
});

afterAll(async () => {
  await monitored.close();
  await proxy.close();
});

// Each test causes an incident, waits for the alert, applies the mitigation of the runbook, and waits for the resolution.
describe('an incident of the upstream', () => {
  it('fires IngestGatewayErrorBudgetBurnFast when calls fail, until the upstream recovers', async () => {
    monitored.sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 'always', probability: 0.3 },
    ]);
    await monitored.waitUntilFiring('IngestGatewayErrorBudgetBurnFast');
    monitored.sandbox.setFaults([]);
    await monitored.waitUntilResolved('IngestGatewayErrorBudgetBurnFast');
  });

  it('fires IngestGatewayCircuitOpen when the network drops all data, until it is fixed', async () => {
    proxy.disconnect();
    await monitored.waitUntilFiring('IngestGatewayCircuitOpen');
    expect(monitored.hasLogged('circuit-state-changed')).toBe(true);
    proxy.reconnect();
    await monitored.waitUntilResolved('IngestGatewayCircuitOpen');
  });

  it('fires IngestGatewayUpstreamSlow when responses are slow, until they are fast', async () => {
    monitored.sandbox.setDelays({ response: { minMs: 1300, maxMs: 1600 } });
    await monitored.waitUntilFiring('IngestGatewayUpstreamSlow');
    monitored.sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } });
    await monitored.waitUntilResolved('IngestGatewayUpstreamSlow');
  });

  it('fires IngestGatewayQuotaLowered when another client uses the account, until it stops', async () => {
    const [credentials] = monitored.sandbox.credentials;
    const stopOtherCaller = monitored.repeatEvery(20, async () => {
      const { headers, body } = signedStop({ credentials: credentials!, taskId: 'task-of-another-client' });
      await fetch(monitored.sandbox.httpUrl, { method: 'POST', headers, body });
    });
    await monitored.waitUntilFiring('IngestGatewayQuotaLowered');
    expect(monitored.hasLogged('quota-capacity-reduced')).toBe(true);
    await stopOtherCaller();
    await monitored.waitUntilResolved('IngestGatewayQuotaLowered');
  });

  it('fires IngestGatewayClockSkew when the clock is wrong, until it is set', async () => {
    monitored.sandbox.setSettings({ clockOffsetSeconds: 1800 });
    await monitored.waitUntilFiring('IngestGatewayClockSkew');
    expect(monitored.hasLogged('clock-skew-corrected')).toBe(true);
    monitored.sandbox.setSettings({ clockOffsetSeconds: 0 });
    await monitored.waitUntilResolved('IngestGatewayClockSkew');
  });
});
