import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readConfiguration } from '../../../apps/gateway/src/config/configuration.js';
import { ENVIRONMENT_VARIABLES } from '../../contract/environment-variables.js';
import { callerEntry } from '../../support/callers-file.js';
import {
  composeFile,
  configMap,
  deployment,
  readManifest,
  service,
  serviceMonitor,
} from '../../support/manifests.js';
import { gatewayFixture, tempFolderFixture } from '../../support/fixtures.js';

const gateways = Object.entries(composeFile.services).filter(([, { build }]) => build?.target === 'gateway');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const kubernetesEnvironment = {
  ...configMap,
  ...Object.fromEntries(container.env.map(({ name }) => [name, 'redis://from-a-secret'])),
};
const environments: [string, Record<string, string>][] = [
  ...gateways.map(([name, { environment }]): [string, Record<string, string>] => [name, environment!]),
  ['the pod', kubernetesEnvironment],
];

const dockerfile = await readFile('docker/Dockerfile', 'utf8');
const folder = await tempFolderFixture();

/** Creates the files of the environment in the temporary folder. @returns the environment with their paths */
async function withFiles(environment: Record<string, string>): Promise<Record<string, string>> {
  const contents: Record<string, string> = {
    TENCENTCLOUD_SECRET_ID_FILE: 'AKIDexample',
    TENCENTCLOUD_SECRET_KEY_FILE: 'example-key',
    CALLERS_FILE: JSON.stringify([callerEntry('room-service', 'example key')]),
  };
  const changed = { ...environment };
  for (const [name, content] of Object.entries(contents)) {
    if (!environment[name]) continue;
    changed[name] = join(folder, environment[name]);
    await mkdir(dirname(changed[name]), { recursive: true });
    await writeFile(changed[name], content);
  }
  return changed;
}

describe('the environment in compose.yaml and the manifests', () => {
  it('exists for two gateways and a pod', () => {
    expect(environments.map(([name]) => name)).toEqual(['gateway-1', 'gateway-2', 'the pod']);
  });

  it.each(environments)('has only variables that the gateway reads: %s', (_name, environment) => {
    // Node.js reads the last one.
    const known = new Set([...Object.keys(ENVIRONMENT_VARIABLES), 'NODE_EXTRA_CA_CERTS']);
    const unknown = Object.keys(environment).filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  });

  it.each(environments)('is a valid configuration with Redis: %s', async (_name, environment) => {
    expect(readConfiguration(await withFiles(environment))).toMatchObject({
      http: { port: 3000 },
      tencentCloud: { credentials: { source: 'files' } },
      redis: { target: { hosts: expect.any(String) } },
    });
  });

  it.each(environments)('contains file names in place of credentials: %s', (_name, environment) => {
    const secret = /^TENCENTCLOUD_(SECRET_ID|SECRET_KEY|SESSION_TOKEN)$/;
    expect(Object.keys(environment).filter((name) => secret.test(name))).toEqual([]);
  });

  it('has a shorter shutdown grace than the orchestrator allows', () => {
    for (const [, { environment, stop_grace_period: period }] of gateways)
      expect(Number(/^(\d+)s$/.exec(period!)![1])).toBeGreaterThanOrEqual(
        Number(environment!['SHUTDOWN_GRACE_MS']) / 1000 + 2,
      );
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      Number(configMap['SHUTDOWN_GRACE_MS']) / 1000 + 2,
    );
  });
});

const { gateway } = await gatewayFixture();

describe('the Dockerfile', () => {
  it('labels the image with the version and the licence of package.json', async () => {
    const { version, license } = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, string>;
    expect(dockerfile).toContain(`org.opencontainers.image.version=${version} `);
    expect(dockerfile).toContain(`org.opencontainers.image.licenses=${license} `);
  });

  it('copies the files of Swagger UI that /docs serves, and no others', async () => {
    const controller = await readFile('apps/gateway/src/api-docs/docs.controller.ts', 'utf8');
    const served = Array.from(controller.matchAll(/^ {2}'([\w.-]+)': '[a-z]+\//gm), ([, name]) => name!);
    const copied = Array.from(dockerfile.matchAll(/swagger-ui-dist\/([\w.-]+) /g), ([, name]) => name!);
    // The controller writes start.js itself, and finds the folder by its package.json.
    const expected = [...served.filter((name) => name !== 'start.js'), 'package.json'];
    expect(expected).toHaveLength(4);
    expect(copied.toSorted()).toEqual(expected.toSorted());
  });

  it('has the same major version of Node.js as package.json in both stages', () => {
    expect(dockerfile).toMatch(/^ARG BUILD_IMAGE=node:24-/m);
    expect(dockerfile).toMatch(/^ARG RUNTIME_IMAGE=gcr\.io\/distroless\/nodejs24-debian13:nonroot$/m);
  });
});

describe('probes, health checks and scrapes', () => {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const probes = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet);
  const healthcheck = /"docker\/healthcheck.mjs", "(\/livez)"\]/.exec(dockerfile)![1]!;
  const [endpoint] = serviceMonitor.spec.endpoints;

  it.each([...new Set([...probes.map(({ path }) => path), healthcheck, endpoint.path])])(
    'get 200 from %s without a key',
    async (path) => {
      const { status } = await fetch(gateway.url + path);
      expect(status).toBe(200);
    },
  );

  it('use /readyz for readiness, and /livez for startup and liveness', () => {
    expect(probes.map(({ path }) => path)).toEqual(['/livez', '/readyz', '/livez']);
  });

  it('use the port of the gateway', () => {
    const port = 3000;
    expect(container.ports).toEqual([{ name: 'http', containerPort: port }]);
    expect(probes.map((probe) => probe.port)).toEqual(['http', 'http', 'http']);
    expect(dockerfile).toMatch(new RegExp(`^EXPOSE ${port}$`, 'm'));
    for (const [, { ports }] of gateways)
      expect(ports).toEqual([expect.stringMatching(new RegExp(`^127\\.0\\.0\\.1:\\d+:${port}$`))]);
    expect(service.spec.ports).toMatchObject([{ name: 'http', targetPort: 'http' }]);
    expect(endpoint.port).toBe('http');
  });

  it('select the pods by their labels', () => {
    const { labels } = deployment.spec.template.metadata;
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(service.spec.selector).toEqual(labels);
    expect(serviceMonitor.spec.selector.matchLabels).toEqual(service.metadata.labels);
    const selects = { matchLabels: labels };
    expect(readManifest('pod-disruption-budget')).toMatchObject({ spec: { selector: selects } });
    expect(readManifest('network-policy')).toMatchObject({ spec: { podSelector: selects } });
  });
});

describe('a mounted secret', () => {
  it.each([
    ['TENCENTCLOUD_SECRET_ID_FILE', 'ingest-gateway-cloud'],
    ['TENCENTCLOUD_SECRET_KEY_FILE', 'ingest-gateway-cloud'],
    ['CALLERS_FILE', 'ingest-gateway-callers'],
  ])(
    'contains the file that %s names, without subPath, so that a running pod sees changes',
    (name, secretName) => {
      const mount = container.volumeMounts.find(
        ({ mountPath }) => mountPath === dirname(configMap[name] ?? ''),
      );
      expect(mount).toMatchObject({ readOnly: true });
      expect(mount).not.toHaveProperty('subPath');
      const volume = pod.volumes.find((candidate) => candidate.name === mount!.name);
      expect(volume?.secret.secretName).toBe(secretName);
    },
  );
});
