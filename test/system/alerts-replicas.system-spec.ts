import { afterAll, describe, expect, it } from '@jest/globals';
import { MonitoredGateway } from '../support/monitored-gateway.js';

const monitored = await MonitoredGateway.start();

afterAll(() => monitored.close());

// Each test causes an incident, waits for the alert, applies the mitigation of the runbook, and waits for the resolution.
describe('an incident of the gateway', () => {
  it('fires IngestGatewayQuotaExhausted when a caller exceeds the quota, until it stops', async () => {
    const stopFlood = monitored.repeatEvery(20, () => monitored.call());
    await monitored.waitUntilFiring('IngestGatewayQuotaExhausted');
    await stopFlood();
    await monitored.waitUntilResolved('IngestGatewayQuotaExhausted');
  });

  it('fires IngestGatewayQuotaStoreDown when Redis is killed, until it is restarted', async () => {
    await monitored.redis.signal('SIGKILL');
    await monitored.waitUntilFiring('IngestGatewayQuotaStoreDown');
    expect(monitored.hasLogged('quota-redis-disconnected')).toBe(true);
    await monitored.redis.restart();
    await monitored.waitUntilResolved('IngestGatewayQuotaStoreDown');
  });

  it('fires IngestGatewayEventLoopLag when a replica gets too little CPU, until it gets enough', async () => {
    const { process } = monitored.replicas[0];
    let turn = 0;
    const stopThrottling = monitored.repeatEvery(100, async () => {
      turn += 1;
      process.kill(turn % 4 === 0 ? 'SIGCONT' : 'SIGSTOP');
      return Promise.resolve();
    });
    await monitored.waitUntilFiring('IngestGatewayEventLoopLag');
    await stopThrottling();
    process.kill('SIGCONT');
    await monitored.waitUntilResolved('IngestGatewayEventLoopLag');
  });

  it('fires IngestGatewayReplicaDown when a replica is killed, until it is restarted', async () => {
    const [replica] = monitored.replicas;
    await replica.kill();
    await monitored.waitUntilFiring('IngestGatewayReplicaDown');
    expect(await monitored.prometheus.alertState('IngestGatewayDown')).toBe('inactive');
    await replica.start();
    await monitored.waitUntilResolved('IngestGatewayReplicaDown');
  });

  it('fires IngestGatewayDown when all replicas are killed, until one is restarted', async () => {
    const [first, second] = monitored.replicas;
    await Promise.all([first.kill(), second.kill()]);
    await monitored.waitUntilFiring('IngestGatewayDown');
    await first.start();
    await monitored.waitUntilResolved('IngestGatewayDown');
    await second.start();
  });
});
