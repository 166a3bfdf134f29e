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
    await monitored.waitUntilFiring('IngestGatewayErrorBudgetBurnFast', 2, () =>
      monitored.sandbox.setFaults([
        { fault: { kind: 'error', code: 'InternalError' }, times: 'always', probability: 0.3 },
      ]),
    );
    await monitored.waitUntilResolved('IngestGatewayErrorBudgetBurnFast', () =>
      monitored.sandbox.setFaults([]),
    );
  });

  it('fires IngestGatewayCircuitOpen when the network drops all data, until it is fixed', async () => {
    await monitored.waitUntilFiring('IngestGatewayCircuitOpen', 1, () => proxy.disconnect());
    expect(monitored.hasLogged('circuit-state-changed')).toBe(true);
    await monitored.waitUntilResolved('IngestGatewayCircuitOpen', () => proxy.reconnect());
  });

  it('fires IngestGatewayUpstreamSlow when responses are slow, until they are fast', async () => {
    await monitored.waitUntilFiring('IngestGatewayUpstreamSlow', 10, () =>
      monitored.sandbox.setDelays({ response: { minMs: 1300, maxMs: 1600 } }),
    );
    await monitored.waitUntilResolved('IngestGatewayUpstreamSlow', () =>
      monitored.sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } }),
    );
  });

  it('fires IngestGatewayQuotaLowered when another client uses the account, until it stops', async () => {
    const [credentials] = monitored.sandbox.credentials;
    let stopOtherClient!: () => Promise<void>;
    await monitored.waitUntilFiring('IngestGatewayQuotaLowered', 5, () => {
      stopOtherClient = monitored.repeatEvery(20, async () => {
        const { headers, body } = signedStop({ credentials: credentials!, taskId: 'task-of-another-client' });
        await fetch(monitored.sandbox.httpUrl, { method: 'POST', headers, body });
      });
    });
    expect(monitored.hasLogged('quota-capacity-reduced')).toBe(true);
    await monitored.waitUntilResolved('IngestGatewayQuotaLowered', () => stopOtherClient());
  });

  it('fires IngestGatewayClockSkew when the clock is wrong, until it is set', async () => {
    await monitored.waitUntilFiring('IngestGatewayClockSkew', 1, () =>
      monitored.sandbox.setSettings({ clockOffsetSeconds: 1800 }),
    );
    expect(monitored.hasLogged('clock-skew-corrected')).toBe(true);
    await monitored.waitUntilResolved('IngestGatewayClockSkew', () =>
      monitored.sandbox.setSettings({ clockOffsetSeconds: 0 }),
    );
  });
});
