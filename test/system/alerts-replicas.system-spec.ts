import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MonitoredGateway } from '../support/monitored-gateway.js';

let monitored: MonitoredGateway;

beforeAll(async () => {
  monitored = await MonitoredGateway.start();
});

afterAll(() => monitored.close());

// Each incident: it happens, its alert fires, the remedy of its runbook is applied, the alert is over.
describe('an incident of the gateway', () => {
  it('a caller floods it: IngestGatewayQuotaExhausted, until it does not', async () => {
    const stopIt = monitored.repeatEvery(20, () => monitored.call());
    await monitored.waitUntilFiring('IngestGatewayQuotaExhausted');
    await stopIt();
    await monitored.waitUntilResolved('IngestGatewayQuotaExhausted');
  });

  it('Redis dies: IngestGatewayQuotaStoreDown, until it is back', async () => {
    await monitored.redis.signal('SIGKILL');
    await monitored.waitUntilFiring('IngestGatewayQuotaStoreDown');
    expect(monitored.hasLogged('quota-redis-disconnected')).toBe(true);
    await monitored.redis.restart();
    await monitored.waitUntilResolved('IngestGatewayQuotaStoreDown');
  });

  it('a replica gets too little CPU: IngestGatewayEventLoopLag, until it gets enough', async () => {
    const { process } = monitored.replicas[0];
    let turn = 0;
    const release = monitored.repeatEvery(100, async () => {
      turn += 1;
      process.kill(turn % 4 === 0 ? 'SIGCONT' : 'SIGSTOP');
      return Promise.resolve();
    });
    await monitored.waitUntilFiring('IngestGatewayEventLoopLag');
    await release();
    process.kill('SIGCONT');
    await monitored.waitUntilResolved('IngestGatewayEventLoopLag');
  });

  it('a replica dies: IngestGatewayReplicaDown, until it is back', async () => {
    const [replica] = monitored.replicas;
    await replica.kill();
    await monitored.waitUntilFiring('IngestGatewayReplicaDown');
    expect(await monitored.prometheus.alertState('IngestGatewayDown')).toBe('inactive');
    await replica.start();
    await monitored.waitUntilResolved('IngestGatewayReplicaDown');
  });

  it('all replicas die: IngestGatewayDown, until one is back', async () => {
    const [first, second] = monitored.replicas;
    await Promise.all([first.kill(), second.kill()]);
    await monitored.waitUntilFiring('IngestGatewayDown');
    await first.start();
    await monitored.waitUntilResolved('IngestGatewayDown');
    await second.start();
  });
});
