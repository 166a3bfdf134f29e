import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Subprocess } from '../support/process.js';
import { tempFolderFixture } from '../support/fixtures.js';

const folder = await tempFolderFixture();

async function validate(...files: string[]): Promise<{ code: number | null; errors: string[] }> {
  const { code, stderr } = await new Subprocess([process.execPath, 'docker/validate.mjs', ...files]).finished;
  return { code, errors: stderr.split('\n').filter(Boolean) };
}

/** Writes a changed copy of a file of the repository. */
async function changedCopy(name: string, file: string, from: string, to: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
  const copy = join(folder, name);
  await writeFile(copy, text.replace(from, to));
  return copy;
}

const DEPLOYMENT = 'docker/kubernetes/base/deployment.yaml';
const SERVICE_MONITOR = 'docker/kubernetes/monitoring/service-monitor.yaml';
const NETWORK_POLICY = 'docker/kubernetes/base/network-policy.yaml';
const COMPOSE = 'docker/compose.yaml';

/** A file, a text in it, a mistake in place of the text, and the error. */
const MISTAKES = [
  [
    DEPLOYMENT,
    'readinessProbe:',
    'readynessProbe:',
    '/spec/template/spec/containers/0/readynessProbe is not',
  ],
  [DEPLOYMENT, 'replicas: 2', "replicas: '2'", '/spec/replicas must be integer'],
  [DEPLOYMENT, 'kind: Deployment', 'kind: Deploiment', '/ has an unknown kind: apps/v1 Deploiment'],
  [DEPLOYMENT, 'apps/v1', 'apps/v2', '/ has an unknown kind: apps/v2 Deployment'],
  [DEPLOYMENT, '  selector:', '  selektor:', '/spec must have required property selector'],
  [NETWORK_POLICY, 'podSelector:', 'podSelectors:', '/spec/podSelectors is not a field of it'],
  [NETWORK_POLICY, 'protocol: UDP', 'protocol: [UDP]', '/spec/egress/0/ports/0/protocol must be string'],
  [SERVICE_MONITOR, 'interval:', 'intervall:', '/spec/endpoints/0/intervall is not a field of it'],
  [COMPOSE, '  read_only:', '  readonly:', '/services/gateway-1/readonly is not a field of it'],
  [COMPOSE, 'service_healthy', 'healthy', '/services/gateway-1/depends_on/redis/condition must be equal to'],
  [COMPOSE, 'pids: 100', 'pids: [100]', '/services/gateway-1/deploy/resources/limits/pids must be'],
] as const;

describe('docker/validate.mjs', () => {
  it('finds no error in the files of the repository', async () => {
    expect(await validate()).toEqual({ code: 0, errors: [] });
  });

  it('names the file, the document and the path of every error', async () => {
    const files = await Promise.all(
      MISTAKES.map(([file, from, to], index) => changedCopy(`mistake-${index}.yaml`, file, from, to)),
    );
    const { code, errors } = await validate(...files);
    expect(code).toBe(1);
    for (const [index, [file, , , error]] of MISTAKES.entries()) {
      const location = file === COMPOSE ? 'document 1: ' : /document 1 \(\w+ ingest-gateway\): /;
      const matching = errors.filter((line) => line.includes(`mistake-${index}.yaml: `));
      expect(matching.map((line) => line.split(location).at(-1))).toContainEqual(
        expect.stringContaining(error),
      );
    }
  });

  it('validates every document of a file', async () => {
    const two = await readFile(DEPLOYMENT, 'utf8');
    const file = join(folder, 'two.yaml');
    await writeFile(file, `${two}---\n${two.replace('minReadySeconds', 'minReadySecond')}`);
    expect((await validate(file)).errors).toEqual([
      expect.stringMatching(
        /document 2 \(Deployment ingest-gateway\): \/spec\/minReadySecond is not a field/,
      ),
    ]);
  });

  it('names the line of invalid YAML, such as a duplicate field', async () => {
    const file = await changedCopy('twice.yaml', DEPLOYMENT, 'replicas: 2', 'replicas: 2\n  replicas: 3');
    expect((await validate(file)).errors).toEqual([
      expect.stringMatching(/twice\.yaml: Map keys must be unique at line \d+, column 3$/),
    ]);
  });

  it('names each file that a kustomization lists but lacks, or has but does not list', async () => {
    const copy = join(folder, 'base');
    await cp('docker/kubernetes/base', copy, { recursive: true });
    await rm(join(copy, 'service.yaml'));
    await writeFile(join(copy, 'config-map.yaml'), '');
    const { errors } = await validate(join(copy, 'kustomization.yaml'));
    expect(errors).toEqual([
      expect.stringContaining('lists service.yaml, which does not exist'),
      expect.stringContaining('does not list config-map.yaml, which is in the same folder'),
    ]);
  });
});
