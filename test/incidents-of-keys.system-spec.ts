import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './support/eventually.js';
import { startGateway } from './support/gateway.js';
import { startMetadataService } from './support/metadata-service.js';
import { minutesAsSeconds } from './support/minutes-as-seconds.js';
import { PrometheusProcess } from './support/prometheus.js';
import { WatchedGateway } from './support/watched-gateway.js';

let watched: WatchedGateway;

beforeAll(async () => {
  watched = await WatchedGateway.start();
});

afterAll(() => watched.close());

// Each incident: it happens, its alert fires, the remedy of its runbook is applied, the alert is over.
describe('an incident of keys', () => {
  it('the cloud refuses them: IngestGatewayCredentialsRefused, until there are right ones', async () => {
    await watched.writeCredentials({ secretId: 'AKIDof-a-deleted-pair', secretKey: 'key-of-a-deleted-pair' });
    await watched.fires('IngestGatewayCredentialsRefused');
    await watched.writeCredentials(watched.sandbox.credentials[0]!);
    await watched.isOver('IngestGatewayCredentialsRefused');
  });

  it('only half of a new pair is written: IngestGatewayCredentialsNotLoaded, until the files are whole', async () => {
    let n = 0;
    const stopIt = watched.every(1000, () => watched.writeCredentials({ secretId: `AKIDhalf-${(n += 1)}` }));
    await watched.fires('IngestGatewayCredentialsNotLoaded');
    expect(watched.logged('credentials-not-loaded')).toBe(true);
    await stopIt();
    await watched.writeCredentials(watched.sandbox.credentials[0]!);
    await watched.isOver('IngestGatewayCredentialsNotLoaded');
  });

  it('the list of callers is broken: IngestGatewayCallersNotLoaded, until it is mended', async () => {
    let n = 0;
    const stopIt = watched.every(1000, () => watched.writeCallers(`[${'{'.repeat((n += 1))}`));
    await watched.fires('IngestGatewayCallersNotLoaded');
    expect(watched.logged('callers-not-loaded')).toBe(true);
    await stopIt();
    await watched.writeCallers();
    await watched.isOver('IngestGatewayCallersNotLoaded');
  });

  it('a role gets no new ones: IngestGatewayCredentialsExpiring, until the metadata service answers', async () => {
    const service = await startMetadataService('stop-role');
    const credentials = { secretId: 'AKIDtemporary', secretKey: 'temporary-key', token: 'a-token' };
    service.hand = { credentials, lifeMs: 200_000 };
    const gateway = await startGateway(
      watched.sandbox,
      { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_CVM_ROLE: 'stop-role' },
      {},
      { metadataService: service.url },
    );
    service.hand = undefined;
    const prometheus = await PrometheusProcess.start([new URL(gateway.url).host], minutesAsSeconds);
    const state = (): Promise<unknown> => prometheus.stateOf('IngestGatewayCredentialsExpiring');
    await eventually(async () => (await state()) === 'firing');
    await eventually(() => gateway.logs.some(({ event }) => event === 'credentials-not-loaded'));
    service.hand = { credentials, lifeMs: 3_600_000 };
    await eventually(async () => (await state()) === 'inactive');
    expect(await state()).toBe('inactive');
    await prometheus.close();
    await gateway.close();
    service.close();
  });
});
