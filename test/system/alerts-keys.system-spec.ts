import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { startMetadataService } from '../support/metadata-service.js';
import { accelerateRules } from '../support/accelerate-rules.js';
import { PrometheusProcess } from '../support/prometheus.js';
import { MonitoredGateway } from '../support/monitored-gateway.js';

let monitored: MonitoredGateway;

beforeAll(async () => {
  monitored = await MonitoredGateway.start();
});

afterAll(() => monitored.close());

// Each incident: it happens, its alert fires, the remedy of its runbook is applied, the alert is over.
describe('an incident of keys', () => {
  it('the cloud refuses them: IngestGatewayCredentialsRefused, until there are right ones', async () => {
    await monitored.writeCredentials({
      secretId: 'AKIDof-a-deleted-pair',
      secretKey: 'key-of-a-deleted-pair',
    });
    await monitored.waitUntilFiring('IngestGatewayCredentialsRefused');
    await monitored.writeCredentials(monitored.sandbox.credentials[0]!);
    await monitored.waitUntilResolved('IngestGatewayCredentialsRefused');
  });

  it('only half of a new pair is written: IngestGatewayCredentialsNotLoaded, until the files are whole', async () => {
    let n = 0;
    const stopIt = monitored.repeatEvery(1000, () =>
      monitored.writeCredentials({ secretId: `AKIDhalf-${(n += 1)}` }),
    );
    await monitored.waitUntilFiring('IngestGatewayCredentialsNotLoaded');
    expect(monitored.hasLogged('credentials-reload-failed')).toBe(true);
    await stopIt();
    await monitored.writeCredentials(monitored.sandbox.credentials[0]!);
    await monitored.waitUntilResolved('IngestGatewayCredentialsNotLoaded');
  });

  it('the list of callers is broken: IngestGatewayCallersNotLoaded, until it is mended', async () => {
    let n = 0;
    const stopIt = monitored.repeatEvery(1000, () => monitored.writeCallers(`[${'{'.repeat((n += 1))}`));
    await monitored.waitUntilFiring('IngestGatewayCallersNotLoaded');
    expect(monitored.hasLogged('callers-reload-failed')).toBe(true);
    await stopIt();
    await monitored.writeCallers();
    await monitored.waitUntilResolved('IngestGatewayCallersNotLoaded');
  });

  it('a role gets no new ones: IngestGatewayCredentialsExpiring, until the metadata service answers', async () => {
    const service = await startMetadataService('stop-role');
    const credentials = { secretId: 'AKIDtemporary', secretKey: 'temporary-key', token: 'a-token' };
    service.issued = { credentials, lifeMs: 200_000 };
    const gateway = await startGateway(
      monitored.sandbox,
      { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_CVM_ROLE: 'stop-role' },
      { metadataService: service.url },
    );
    service.issued = undefined;
    const prometheus = await PrometheusProcess.start([new URL(gateway.url).host], accelerateRules);
    const state = (): Promise<unknown> => prometheus.alertState('IngestGatewayCredentialsExpiring');
    await eventually(async () => (await state()) === 'firing');
    await eventually(() => gateway.logs.some(({ event }) => event === 'credentials-reload-failed'));
    service.issued = { credentials, lifeMs: 3_600_000 };
    await eventually(async () => (await state()) === 'inactive');
    expect(await state()).toBe('inactive');
    await prometheus.close();
    await gateway.close();
    service.close();
  });
});
