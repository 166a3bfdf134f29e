import { afterAll, describe, expect, it } from '@jest/globals';
import { MonitoredGateway } from '../support/monitored-gateway.js';

const monitored = await MonitoredGateway.start();

afterAll(() => monitored.close());

// Each test causes an incident, waits for the alert, applies the mitigation of the runbook, and waits for the resolution.
describe('an incident of the gateway', () => {
  it('fires IngestGatewayQuotaExhausted when a caller exceeds the quota, until it stops', async () => {
    let stopFlood!: () => Promise<void>;
    await monitored.waitUntilFiring('IngestGatewayQuotaExhausted', 5, () => {
      stopFlood = monitored.repeatEvery(20, () => monitored.call());
    });
    await monitored.waitUntilResolved('IngestGatewayQuotaExhausted', () => stopFlood());
  });

  it('fires IngestGatewayEndedTaskFeedDown when Redis rejects its commands, until it accepts them', async () => {
    await monitored.waitUntilFiring('IngestGatewayEndedTaskFeedDown', 5, () =>
      monitored.redis.command('ACL', 'SETUSER', 'default', '-xadd', '-xread'),
    );
    expect(await monitored.prometheus.alertState('IngestGatewayQuotaStoreDown')).toBe('inactive');
    await monitored.waitUntilResolved('IngestGatewayEndedTaskFeedDown', () =>
      monitored.redis.command('ACL', 'SETUSER', 'default', '+xadd', '+xread'),
    );
  });

  it('fires IngestGatewayQuotaStoreDown when Redis is killed, until it is restarted', async () => {
    await monitored.waitUntilFiring('IngestGatewayQuotaStoreDown', 1, () =>
      monitored.redis.signal('SIGKILL'),
    );
    expect(monitored.hasLogged('quota-redis-disconnected')).toBe(true);
    await monitored.waitUntilResolved('IngestGatewayQuotaStoreDown', () => monitored.redis.restart());
  });

  it('fires IngestGatewayEventLoopLag when a replica gets too little CPU, until it gets enough', async () => {
    const { process } = monitored.replicas[0];
    let turn = 0;
    let stopThrottling!: () => Promise<void>;
    await monitored.waitUntilFiring('IngestGatewayEventLoopLag', 5, () => {
      stopThrottling = monitored.repeatEvery(100, async () => {
        turn += 1;
        process.kill(turn % 4 === 0 ? 'SIGCONT' : 'SIGSTOP');
        return Promise.resolve();
      });
    });
    await monitored.waitUntilResolved('IngestGatewayEventLoopLag', async () => {
      await stopThrottling();
      process.kill('SIGCONT');
    });
  });

  it('fires IngestGatewayReplicaDown when a replica is killed, until it is restarted', async () => {
    const [replica] = monitored.replicas;
    await monitored.waitUntilFiring('IngestGatewayReplicaDown', 2, () => replica.kill());
    expect(await monitored.prometheus.alertState('IngestGatewayDown')).toBe('inactive');
    await monitored.waitUntilResolved('IngestGatewayReplicaDown', () => replica.start());
  });

  it('fires IngestGatewayDown when all replicas are killed, until one is restarted', async () => {
    const [first, second] = monitored.replicas;
    await monitored.waitUntilFiring('IngestGatewayDown', 1, () => Promise.all([first.kill(), second.kill()]));
    await monitored.waitUntilResolved('IngestGatewayDown', () => first.start());
    await second.start();
  });
});
