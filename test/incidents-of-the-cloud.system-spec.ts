import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signedStop } from '../apps/sandbox/src/testing/signed-stop.js';
import { RedisWay } from './support/redis.js';
import { WatchedGateway } from './support/watched-gateway.js';

let way: RedisWay;
let watched: WatchedGateway;

beforeAll(async () => {
  watched = await WatchedGateway.start(async (port) => {
    way = await RedisWay.to(port);
    return way.url.replace('redis:', 'http:');
  });
});

afterAll(async () => {
  await watched.close();
  await way.close();
});

// Each incident: it happens, its alert fires, the remedy of its runbook is applied, the alert is over.
describe('an incident of the cloud', () => {
  it('calls fail: IngestGatewayErrorBudgetBurnFast, until the cloud is well', async () => {
    watched.sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 'always', probability: 0.3 },
    ]);
    await watched.fires('IngestGatewayErrorBudgetBurnFast');
    watched.sandbox.setFaults([]);
    await watched.isOver('IngestGatewayErrorBudgetBurnFast');
  });

  it('nothing comes back: IngestGatewayCircuitOpen, until the way there is mended', async () => {
    way.cut();
    await watched.fires('IngestGatewayCircuitOpen');
    expect(watched.logged('circuit')).toBe(true);
    way.mend();
    await watched.isOver('IngestGatewayCircuitOpen');
  });

  it('answers are slow: IngestGatewayUpstreamSlow, until they are not', async () => {
    watched.sandbox.setDelays({ response: { minMs: 1300, maxMs: 1600 } });
    await watched.fires('IngestGatewayUpstreamSlow');
    watched.sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } });
    await watched.isOver('IngestGatewayUpstreamSlow');
  });

  it('somebody else uses the account: IngestGatewayQuotaLowered, until they stop', async () => {
    const [credentials] = watched.sandbox.credentials;
    const stopThem = watched.every(20, async () => {
      const { headers, body } = signedStop({ credentials: credentials!, taskId: 'of-somebody-else' });
      await fetch(watched.sandbox.httpUrl, { method: 'POST', headers, body });
    });
    await watched.fires('IngestGatewayQuotaLowered');
    expect(watched.logged('quota-lowered')).toBe(true);
    await stopThem();
    await watched.isOver('IngestGatewayQuotaLowered');
  });

  it('the clocks differ: IngestGatewayClockSkew, until the clock is set', async () => {
    watched.sandbox.setSettings({ clockOffsetSeconds: 1800 });
    await watched.fires('IngestGatewayClockSkew');
    expect(watched.logged('clock-corrected')).toBe(true);
    watched.sandbox.setSettings({ clockOffsetSeconds: 0 });
    await watched.isOver('IngestGatewayClockSkew');
  });
});
