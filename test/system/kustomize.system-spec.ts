import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
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
  readonly metadata: { name: string; namespace?: string };
}

interface Rendered extends Resource {
  readonly data?: Record<string, string>;
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      spec: { containers: [{ image: string; envFrom: [{ configMapRef: { name: string } }] }] };
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

const findOnly = (kind: string): Rendered => {
  const found = resources.filter((resource) => resource.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe('kubectl kustomize docker/kubernetes/overlays/production', () => {
  it('renders manifests that match the schemas of Kubernetes and of the Prometheus Operator', async () => {
    const file = join(folder, 'rendered.yaml');
    await writeFile(file, text);
    const { stdout } = await run(process.execPath, ['docker/validate.mjs', file]);
    expect(stdout).toBe('valid files: 1\n');
    expect(resources.map(({ kind }) => kind).toSorted()).toEqual([
      'ConfigMap',
      'Deployment',
      'Namespace',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
    ]);
  });

  it('puts every resource into its namespace', () => {
    const namespaces = resources
      .filter(({ kind }) => kind !== 'Namespace')
      .map(({ metadata }) => metadata.namespace);
    expect([...new Set(namespaces)]).toEqual([findOnly('Namespace').metadata.name]);
  });

  it('merges the configuration of base and overlay, and restarts the pods when it changes', () => {
    const { data, metadata } = findOnly('ConfigMap');
    expect(data).toEqual(configMap);
    expect(metadata.name).toMatch(/^ingest-gateway-[a-z0-9]{10}$/);
    const [container] = findOnly('Deployment').spec.template.spec.containers;
    expect(container.envFrom).toEqual([{ configMapRef: { name: metadata.name } }]);
  });

  it('sets an image of a registry and three replicas', () => {
    const { replicas, template } = findOnly('Deployment').spec;
    expect(replicas).toBe(3);
    expect(template.spec.containers[0].image).toMatch(/^[\w.]+\/ingest-gateway:\d+\.\d+\.\d+$/);
  });

  it('fails when a kustomization has an unknown field', async () => {
    await cp('docker/kubernetes', folder, { recursive: true });
    const file = join(folder, 'overlays/production/kustomization.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('replicas:', 'replikas:'));
    await expect(kustomize(join(folder, 'overlays/production'))).rejects.toMatchObject({
      stderr: expect.stringContaining('replikas'),
    });
  });
});
