import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { configMap } from '../support/manifests.js';
import { resolveProgram, type Program } from '../support/programs.js';
import { tempFolderFixture } from '../support/fixtures.js';

const KUBECTL: Program = {
  name: 'kubectl',
  packages: ['kubernetes-client'],
  installHint: 'Version 1.27 or later; the version of Debian 12 is too old.',
};

interface Resource {
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels: Record<string, string> };
}

interface Rendered extends Resource {
  readonly data?: Record<string, string>;
  readonly imagePullSecrets?: { name: string }[];
  readonly spec: {
    readonly groups?: unknown;
    readonly strategy: { type: string };
    readonly replicas: number;
    readonly template: {
      metadata: { labels: Record<string, string> };
      spec: {
        containers: [{ image: string; env?: unknown; envFrom: [{ configMapRef: { name: string } }] }];
      };
    };
  };
}

const run = promisify(execFile);
const folder = await tempFolderFixture();

async function kustomize(overlay: string): Promise<string> {
  const { stdout } = await run(resolveProgram(KUBECTL), ['kustomize', overlay]);
  return stdout;
}

const text = await kustomize('docker/kubernetes/overlays/production');
const resources = parseAllDocuments(text).map((document) => document.toJS() as Rendered);
const singleReplicaText = await kustomize('docker/kubernetes/overlays/single-replica');
const singleReplica = parseAllDocuments(singleReplicaText).map((document) => document.toJS() as Rendered);

const find = (kind: string, name: string | RegExp = 'ingest-gateway', all = resources): Rendered => {
  const found = all.filter(
    (resource) =>
      resource.kind === kind &&
      (typeof name === 'string' ? resource.metadata.name === name : name.test(resource.metadata.name)),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
};
/** Kind and name of every resource, without the ConfigMap whose name ends in a hash. */
const namesOf = (all: Rendered[]): string[] =>
  all
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .filter((name) => !/^ConfigMap ingest-gateway-[a-z0-9]{10}$/.test(name))
    .toSorted();
const findConfigMap = (): Rendered => find('ConfigMap', /^ingest-gateway-[a-z0-9]{10}$/);

describe('kubectl kustomize docker/kubernetes/overlays/production', () => {
  it('renders manifests that match the schemas of Kubernetes and of the Prometheus Operator', async () => {
    const file = join(folder, 'rendered.yaml');
    await writeFile(file, `${text}---\n${singleReplicaText}`);
    const { stdout } = await run(process.execPath, ['docker/validate.mjs', file]);
    expect(stdout).toBe('valid files: 1\n');
    const gateway = [
      'ConfigMap ingest-gateway-dashboard',
      'Deployment ingest-gateway',
      'Namespace ingest-gateway',
      'NetworkPolicy ingest-gateway',
      'PodDisruptionBudget ingest-gateway',
      'PrometheusRule ingest-gateway',
      'Service ingest-gateway',
      'ServiceAccount ingest-gateway',
      'ServiceMonitor ingest-gateway',
    ];
    const redis = ['NetworkPolicy redis', 'Service redis', 'StatefulSet redis'];
    expect(namesOf(resources)).toEqual([...gateway, ...redis].toSorted());
    expect(namesOf(singleReplica)).toEqual(gateway);
  });

  it('has the rules and the dashboard of Prometheus and Grafana, with labels that kube-prometheus-stack selects', () => {
    const groups = ['recording', 'alerts'].flatMap(
      (name) =>
        (parse(readFileSync(`docker/prometheus/rules/${name}.yml`, 'utf8')) as { groups: unknown[] }).groups,
    );
    expect(find('PrometheusRule').spec.groups).toEqual(groups);
    const dashboard = find('ConfigMap', 'ingest-gateway-dashboard');
    expect(dashboard.data!['ingest-gateway.json']).toBe(
      readFileSync('docker/grafana/dashboards/ingest-gateway.json', 'utf8'),
    );
    expect(dashboard.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    for (const kind of ['PrometheusRule', 'ServiceMonitor'])
      expect(find(kind).metadata.labels).toMatchObject({ release: 'kube-prometheus-stack' });
  });

  it('has the recommended labels, with the version of the image, and a secret for the registry', () => {
    const { metadata, spec } = find('Deployment');
    const [, version] = /:(.+)$/.exec(spec.template.spec.containers[0].image)!;
    for (const labels of [metadata.labels, spec.template.metadata.labels])
      expect(labels).toMatchObject({
        'app.kubernetes.io/name': 'ingest-gateway',
        'app.kubernetes.io/version': version,
      });
    expect(metadata.labels).toMatchObject({
      'app.kubernetes.io/instance': 'ingest-gateway',
      'app.kubernetes.io/part-of': 'ingest-gateway',
    });
    expect(find('ServiceAccount').imagePullSecrets).toEqual([{ name: 'ingest-gateway-registry' }]);
  });

  it('replaces a single replica without Redis before the next one starts', () => {
    const { replicas, strategy, template } = find('Deployment', 'ingest-gateway', singleReplica).spec;
    expect(replicas).toBe(1);
    expect(strategy).toEqual({ type: 'Recreate' });
    expect(template.spec.containers[0].env).toBeUndefined();
  });

  it('puts every resource into its namespace', () => {
    const namespaces = resources
      .filter(({ kind }) => kind !== 'Namespace')
      .map(({ metadata }) => metadata.namespace);
    expect([...new Set(namespaces)]).toEqual([find('Namespace').metadata.name]);
  });

  it('merges the configuration of base and overlay, and restarts the pods when it changes', () => {
    const { data, metadata } = findConfigMap();
    expect(data).toEqual(configMap);
    expect(metadata.name).toMatch(/^ingest-gateway-[a-z0-9]{10}$/);
    const [container] = find('Deployment').spec.template.spec.containers;
    expect(container.envFrom).toEqual([{ configMapRef: { name: metadata.name } }]);
  });

  it('sets an image of a registry and three replicas', () => {
    const { replicas, template } = find('Deployment').spec;
    expect(replicas).toBe(3);
    expect(template.spec.containers[0].image).toMatch(/^[\w.]+\/ingest-gateway:\d+\.\d+\.\d+$/);
  });

  it('fails when a kustomization has an unknown field', async () => {
    await cp('docker', folder, { recursive: true });
    const file = join(folder, 'kubernetes/overlays/production/kustomization.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('replicas:', 'replikas:'));
    await expect(kustomize(join(folder, 'kubernetes/overlays/production'))).rejects.toMatchObject({
      stderr: expect.stringContaining('replikas'),
    });
  });
});
