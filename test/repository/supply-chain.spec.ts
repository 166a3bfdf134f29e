import { execFile } from 'node:child_process';
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
  readonly components: { name: string; version: string; hashes?: unknown[] }[];
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
    expect(scripted.map(([path]) => packageName(path))).toEqual(['@parcel/watcher', '@swc/core', 'esbuild']);
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

describe('npm run sbom', () => {
  it('lists exactly the production packages, with version and hash', async () => {
    const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { maxBuffer: 1e7 });
    const { bomFormat, components } = JSON.parse(stdout) as Bom;
    expect(bomFormat).toBe('CycloneDX');
    const listed = components.map(({ name, version }) => `${name}@${version}`);
    const inProduction = installed
      .filter(([, { dev, devOptional, optional }]) => !dev && !devOptional && !optional)
      .map(([path, { name, version }]) => `${name ?? packageName(path)}@${version}`);
    expect(listed.toSorted()).toEqual([...new Set(inProduction)].toSorted());
    for (const [name, version] of Object.entries(manifest.dependencies))
      expect(listed).toContain(`${name}@${version}`);
    expect(components.filter(({ hashes }) => !hashes?.length).map(({ name }) => name)).toEqual([]);
  });
});
