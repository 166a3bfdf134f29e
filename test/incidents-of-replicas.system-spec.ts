import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WatchedGateway } from './support/watched-gateway.js';

let watched: WatchedGateway;

beforeAll(async () => {
  watched = await WatchedGateway.start();
});

afterAll(() => watched.close());

// Each incident: it happens, its alert fires, the remedy of its runbook is applied, the alert is over.
describe('an incident of the gateway', () => {
  it('a caller floods it: IngestGatewayQuotaExhausted, until it does not', async () => {
    const stopIt = watched.every(20, () => watched.call());
    await watched.fires('IngestGatewayQuotaExhausted');
    await stopIt();
    await watched.isOver('IngestGatewayQuotaExhausted');
  });

  it('Redis dies: IngestGatewayQuotaStoreDown, until it is back', async () => {
    await watched.redis.signal('SIGKILL');
    await watched.fires('IngestGatewayQuotaStoreDown');
    expect(watched.logged('quota-store-down')).toBe(true);
    await watched.redis.startAgain();
    await watched.isOver('IngestGatewayQuotaStoreDown');
  });

  it('a replica gets too little CPU: IngestGatewayEventLoopLag, until it gets enough', async () => {
    const { process } = watched.replicas[0];
    let turn = 0;
    const letGo = watched.every(100, async () => {
      turn += 1;
      process.kill(turn % 4 === 0 ? 'SIGCONT' : 'SIGSTOP');
      return Promise.resolve();
    });
    await watched.fires('IngestGatewayEventLoopLag');
    await letGo();
    process.kill('SIGCONT');
    await watched.isOver('IngestGatewayEventLoopLag');
  });

  it('a replica dies: IngestGatewayReplicaDown, until it is back', async () => {
    const [replica] = watched.replicas;
    await replica.kill();
    await watched.fires('IngestGatewayReplicaDown');
    expect(await watched.prometheus.stateOf('IngestGatewayDown')).toBe('inactive');
    await replica.start();
    await watched.isOver('IngestGatewayReplicaDown');
  });

  it('all replicas die: IngestGatewayDown, until one is back', async () => {
    const [first, second] = watched.replicas;
    await Promise.all([first.kill(), second.kill()]);
    await watched.fires('IngestGatewayDown');
    await first.start();
    await watched.isOver('IngestGatewayDown');
    await second.start();
  });
});
