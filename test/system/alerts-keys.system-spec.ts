import { afterAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { startMetadataService } from '../support/metadata-service.js';
import { accelerateRules, PrometheusProcess } from '../support/prometheus.js';
import { MonitoredGateway } from '../support/monitored-gateway.js';

const monitored = await MonitoredGateway.start();

afterAll(() => monitored.close());

// Each test causes an incident, waits for the alert, applies the mitigation of the runbook, and waits for the resolution.
describe('an incident of keys or credentials', () => {
  it('fires IngestGatewayCredentialsRefused when the upstream rejects the credentials, until they are valid', async () => {
    await monitored.waitUntilFiring('IngestGatewayCredentialsRefused', 3, () =>
      monitored.writeCredentials({ secretId: 'AKIDdeleted', secretKey: 'deleted-key' }),
    );
    await monitored.waitUntilResolved('IngestGatewayCredentialsRefused', () =>
      monitored.writeCredentials(monitored.sandbox.credentials[0]!),
    );
  });

  it('fires IngestGatewayCredentialsNotLoaded when only one of two files is replaced, until both are', async () => {
    await monitored.waitUntilFiring('IngestGatewayCredentialsNotLoaded', 5, () =>
      monitored.writeCredentials({ secretId: 'AKIDhalf' }),
    );
    expect(monitored.hasLogged('credentials-reload-failed')).toBe(true);
    await monitored.waitUntilResolved('IngestGatewayCredentialsNotLoaded', () =>
      monitored.writeCredentials(monitored.sandbox.credentials[0]!),
    );
  });

  it('fires IngestGatewayCallersNotLoaded when CALLERS_FILE is invalid, until it is fixed', async () => {
    await monitored.waitUntilFiring('IngestGatewayCallersNotLoaded', 5, () => monitored.writeCallers('[{'));
    expect(monitored.hasLogged('callers-reload-failed')).toBe(true);
    await monitored.waitUntilResolved('IngestGatewayCallersNotLoaded', () => monitored.writeCallers());
  });

  it('fires IngestGatewayCredentialsExpiring when the metadata service fails, until it responds', async () => {
    const service = await startMetadataService('stop-role');
    const credentials = { secretId: 'AKIDtemporary', secretKey: 'temporary-key', token: 'a-token' };
    service.issued = { credentials, lifetimeMs: 200_000 };
    const gateway = await startGateway(
      monitored.sandbox,
      { TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', TENCENTCLOUD_CVM_ROLE: 'stop-role' },
      { metadataService: service.url },
    );
    const prometheus = await PrometheusProcess.start([new URL(gateway.url).host], accelerateRules);
    const state = (): Promise<unknown> => prometheus.alertState('IngestGatewayCredentialsExpiring');
    const startSeconds = Date.now() / 1000;
    service.issued = undefined;
    await prometheus.waitUntilFiring('IngestGatewayCredentialsExpiring', 1, startSeconds, 45_000);
    await eventually(() => gateway.logs.some(({ event }) => event === 'credentials-reload-failed'));
    service.issued = { credentials, lifetimeMs: 3_600_000 };
    await eventually(async () => (await state()) === 'inactive');
    expect(await state()).toBe('inactive');
    await prometheus.close();
    await gateway.close();
    service.close();
  });
});
