import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
}

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

interface Bom {
  readonly bomFormat: string;
  readonly components: { name: string; version: string; hashes?: unknown[] }[];
}

const read = async <T>(file: string): Promise<T> => JSON.parse(await readFile(file, 'utf8')) as T;
const manifest = await read<Manifest>('package.json');
const lock = await read<{ packages: Record<string, LockedPackage> }>('package-lock.json');
const installed = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('what is installed', () => {
  it('is named with one exact version each', () => {
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('is what it was when it was locked, by its hash', () => {
    expect(installed.length).toBeGreaterThan(100);
    // Builds of tools for other platforms are listed without one.
    const unhashed = installed.filter(([, { integrity, dev, optional }]) => !integrity && !(dev && optional));
    expect(unhashed.map(([path]) => path)).toEqual([]);
  });

  it('runs no script while it is installed about which nobody has decided', () => {
    const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
    const undecided = scripted
      .map(([path]) => nameOf(path))
      .filter((name) => !(name in manifest.allowScripts));
    expect(undecided).toEqual([]);
  });
});

describe('npm run sbom', () => {
  it('lists what production runs, by version and hash, and nothing else', async () => {
    const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { maxBuffer: 1e7 });
    const { bomFormat, components } = JSON.parse(stdout) as Bom;
    expect(bomFormat).toBe('CycloneDX');
    const listed = components.map(({ name, version }) => `${name}@${version}`);
    const inProduction = installed
      .filter(([, { dev, devOptional }]) => !dev && !devOptional)
      .map(([path, { version }]) => `${nameOf(path)}@${version}`);
    expect(listed.toSorted()).toEqual([...new Set(inProduction)].toSorted());
    for (const [name, version] of Object.entries(manifest.dependencies))
      expect(listed).toContain(`${name}@${version}`);
    expect(components.filter(({ hashes }) => !hashes?.length).map(({ name }) => name)).toEqual([]);
  });
});
