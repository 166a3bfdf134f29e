import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTempFolder } from '../support/callers-file.js';

let folder: Awaited<ReturnType<typeof createTempFolder>>;
beforeAll(async () => (folder = await createTempFolder()));
afterAll(() => folder.remove());

async function validate(...files: string[]): Promise<{ code: number; faults: string[] }> {
  const child = spawn(process.execPath, ['docker/validate.mjs', ...files]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, faults: stderr.split('\n').filter(Boolean) };
}

/** A file of the repository with one thing in it changed, under a name of its own. */
async function changed(name: string, file: string, from: string, to: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
  const copy = join(folder.path, name);
  await writeFile(copy, text.replace(from, to));
  return copy;
}

const DEPLOYMENT = 'docker/kubernetes/base/deployment.yaml';
const SERVICE_MONITOR = 'docker/kubernetes/overlays/production/service-monitor.yaml';
const NETWORK_POLICY = 'docker/kubernetes/base/network-policy.yaml';
const COMPOSE = 'docker/compose.yaml';

/** A file, what it has, what a person might write instead, and what is said then. */
const MISTAKES = [
  [
    DEPLOYMENT,
    'readinessProbe:',
    'readynessProbe:',
    '/spec/template/spec/containers/0/readynessProbe is not',
  ],
  [DEPLOYMENT, 'replicas: 2', "replicas: '2'", '/spec/replicas must be integer'],
  [DEPLOYMENT, 'kind: Deployment', 'kind: Deploiment', '/ is of no known kind: apps/v1 Deploiment'],
  [DEPLOYMENT, 'apps/v1', 'apps/v2', '/ is of no known kind: apps/v2 Deployment'],
  [DEPLOYMENT, '  selector:', '  selektor:', '/spec must have required property selector'],
  [NETWORK_POLICY, 'podSelector:', 'podSelectors:', '/spec/podSelectors is not a field of it'],
  [NETWORK_POLICY, 'protocol: UDP', 'protocol: [UDP]', '/spec/egress/0/ports/0/protocol must be string'],
  [SERVICE_MONITOR, 'interval:', 'intervall:', '/spec/endpoints/0/intervall is not a field of it'],
  [COMPOSE, '  read_only:', '  readonly:', '/services/gateway-1/readonly is not a field of it'],
  [COMPOSE, 'service_healthy', 'healthy', '/services/gateway-1/depends_on/redis/condition must be equal to'],
  [COMPOSE, 'pids: 100', 'pids: [100]', '/services/gateway-1/deploy/resources/limits/pids must be'],
] as const;

describe('docker/validate.mjs', () => {
  it('finds no fault in what the repository has', async () => {
    expect(await validate()).toEqual({ code: 0, faults: [] });
  });

  it('names file, document and path of every mistake', async () => {
    const files = await Promise.all(
      MISTAKES.map(([file, from, to], index) => changed(`mistake-${index}.yaml`, file, from, to)),
    );
    const { code, faults: errors } = await validate(...files);
    expect(code).toBe(1);
    for (const [index, [file, , , error]] of MISTAKES.entries()) {
      const where = file === COMPOSE ? 'document 1: ' : /document 1 \(\w+ ingest-gateway\): /;
      const about = errors.filter((line) => line.includes(`mistake-${index}.yaml: `));
      expect(about.map((line) => line.split(where).at(-1))).toContainEqual(expect.stringContaining(error));
    }
  });

  it('looks at every document of a file', async () => {
    const two = await readFile(DEPLOYMENT, 'utf8');
    const file = join(folder.path, 'two.yaml');
    await writeFile(file, `${two}---\n${two.replace('minReadySeconds', 'minReadySecond')}`);
    expect((await validate(file)).faults).toEqual([
      expect.stringMatching(
        /document 2 \(Deployment ingest-gateway\): \/spec\/minReadySecond is not a field/,
      ),
    ]);
  });

  it('names the line of what is no YAML, a field given twice among it', async () => {
    const file = await changed('twice.yaml', DEPLOYMENT, 'replicas: 2', 'replicas: 2\n  replicas: 3');
    expect((await validate(file)).faults).toEqual([
      expect.stringMatching(/twice\.yaml: Map keys must be unique at line \d+, column 3$/),
    ]);
  });

  it('names what a kustomization lists and has not, or has and does not list', async () => {
    const copy = join(folder.path, 'base');
    await cp('docker/kubernetes/base', copy, { recursive: true });
    await rm(join(copy, 'service.yaml'));
    await writeFile(join(copy, 'config-map.yaml'), '');
    const { faults: errors } = await validate(join(copy, 'kustomization.yaml'));
    expect(errors).toEqual([
      expect.stringContaining('lists service.yaml, which is not there'),
      expect.stringContaining('does not list config-map.yaml, which lies beside it'),
    ]);
  });
});
