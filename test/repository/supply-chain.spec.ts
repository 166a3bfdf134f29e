import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}

interface LockedPackage {
  /** Of an alias, whose folder has another name. */
  readonly name?: string;
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly os?: string;
  readonly cpu?: string;
}

interface Bom {
  readonly bomFormat: string;
  readonly metadata: { component: { name: string } };
  readonly components: {
    'bom-ref': string;
    type: string;
    name: string;
    version: string;
    hashes?: unknown[];
  }[];
}

const read = async <T>(file: string): Promise<T> => JSON.parse(await readFile(file, 'utf8')) as T;
const manifest = await read<Manifest>('package.json');
const lock = await read<{ packages: Record<string, LockedPackage> }>('package-lock.json');
const installed = Object.entries(lock.packages).filter(([path]) => path !== '');
const run = promisify(execFile);
const packageName = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('package.json', () => {
  it('names one exact version of each package', () => {
    const versions = Object.values({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe('the lockfile', () => {
  it('has a hash for each package', () => {
    expect(installed.length).toBeGreaterThan(100);
    const unhashed = installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
    expect(unhashed.map(([path]) => path)).toEqual([]);
  });

  it('is installed without install scripts', async () => {
    const { stdout } = await run('npm', ['config', 'get', 'ignore-scripts']);
    expect(stdout).toBe('true\n');
  });

  it('contains no telemetry: the name @scarf/scarf is an alias of a package that is locked anyway', () => {
    const { name, version } = lock.packages['node_modules/@scarf/scarf']!;
    expect({ name, version }).toEqual({ name: 'ms', version: lock.packages['node_modules/ms']!.version });
    expect(installed.filter(([, { resolved }]) => resolved?.includes('scarf'))).toEqual([]);
  });

  it('contains only reviewed packages with install scripts, which ignore-scripts turns off', () => {
    // They find their binary in an optional package. Without that, the script would download or compile it.
    const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
    expect(scripted.map(([path]) => packageName(path))).toEqual([
      '@parcel/watcher',
      '@swc/core',
      'esbuild',
      'msgpackr-extract',
    ]);
  });

  it('has Node.js 24 with a hash for five platforms', () => {
    const binaries = Object.keys(manifest.optionalDependencies).map((name) => {
      const { version, integrity, os, cpu } = lock.packages[`node_modules/${name}`]!;
      expect(integrity).toMatch(/^sha512-/);
      return `${os} ${cpu} ${version.split('.')[0]}`;
    });
    expect(binaries.toSorted()).toEqual([
      'darwin arm64 24',
      'darwin x64 24',
      'linux arm64 24',
      'linux x64 24',
      'win32 x64 24',
    ]);
  });

  it('provides the Node.js that is first on the PATH of npm scripts', async () => {
    const { stdout } = await run('npm', [
      'exec',
      '--',
      'node',
      '-p',
      'process.execPath + " " + process.version',
    ]);
    const name = /node_modules[\\/](node-[\w-]+)/.exec(stdout)?.[1] ?? 'no match';
    expect(stdout.trim()).toMatch(new RegExp(` v${manifest.optionalDependencies[name]}$`));
  });
});

describe('the bill of materials', () => {
  const FOLDER = /^\/\/ (.*node_modules\/(?:@[^/]+\/)?[^/]+)/gm;

  /** Returns name and version of each package that has code in the bundle: esbuild names the file above its code. */
  async function bundledPackages(): Promise<string[]> {
    const files = globSync('dist/gateway/*.js');
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const folders = new Set(
      texts.flatMap((text) => Array.from(text.matchAll(FOLDER), ([, folder]) => folder!)),
    );
    return Promise.all(
      [...folders].map(async (folder) => {
        const { name, version } = await read<{ name: string; version: string }>(`${folder}/package.json`);
        return `${name}@${version}`;
      }),
    );
  }

  it('lists the packages of the bundle, Swagger UI and Node.js, as the licence texts do', async () => {
    const { stdout } = await run(process.execPath, ['supply-chain/sbom.mjs'], { maxBuffer: 1e7 });
    const { bomFormat, metadata, components } = JSON.parse(stdout) as Bom;
    expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', 'ingest-gateway']);
    const packages = new Set([
      ...(await bundledPackages()),
      `swagger-ui-dist@${manifest.dependencies['swagger-ui-dist']}`,
    ]);
    expect(packages.size).toBeGreaterThan(50);
    const node = components.filter(({ type }) => type === 'platform');
    expect(node.map(({ name, version }) => `${name} v${version}`)).toEqual([`node ${process.version}`]);
    const libraries = components.filter(({ type }) => type === 'library');
    expect(libraries.map((component) => component['bom-ref']).toSorted()).toEqual([...packages].toSorted());
    expect(libraries.filter(({ hashes }) => !hashes?.length)).toEqual([]);
    const licences = await readFile('dist/gateway/THIRD-PARTY-LICENSES.txt', 'utf8');
    const licensed = Array.from(
      licences.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+) (\d+\.\d+\.\d+): \S+/gm),
      ([, name, version]) => `${name}@${version}`,
    );
    expect(licensed.toSorted()).toEqual([...packages].toSorted());
  });
});
