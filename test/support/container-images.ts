import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Subprocess } from './process.js';
import { type Program, resolveProgram } from './programs.js';
import { createTempFolder, type TempFolder } from './temp-folder.js';

const packages = {
  packages: ['buildah', 'podman', 'runc', 'busybox-static'],
  installHint: 'The test of the images needs Linux and root.',
};
const BUILDAH: Program = { name: 'buildah', ...packages };
const PODMAN: Program = { name: 'podman', ...packages };
const RUNC: Program = { name: 'runc', ...packages };
const BUSYBOX: Program = { name: 'busybox', ...packages };
const LDD: Program = { name: 'ldd', packages: ['libc-bin'], installHint: 'The test needs Linux with glibc.' };
const NPM: Program = { name: 'npm', packages: ['npm'], installHint: 'npm comes with Node.js.' };

/** The user `nonroot` of the distroless images. */
export const NONROOT = 65_532;

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Builds the images of docker/Dockerfile and runs containers. It needs no Docker engine and no image registry: small
 * images that contain the Node.js of the repository stand in for the base images. Images and containers are in a
 * temporary folder.
 */
export class ContainerImages {
  readonly #buildah = resolveProgram(BUILDAH);
  readonly #podman = resolveProgram(PODMAN);
  readonly #runc = resolveProgram(RUNC);
  readonly #busybox = resolveProgram(BUSYBOX);
  readonly #containers: Subprocess[] = [];

  private constructor(private readonly folder: TempFolder) {}

  /** Creates the stand-ins for the base images. */
  static async create(): Promise<ContainerImages> {
    if (process.getuid?.() !== 0) throw new Error('The test of the images must run as root on Linux.');
    const images = new ContainerImages(await createTempFolder());
    try {
      images.#createBaseImages();
      return images;
    } catch (error) {
      await images.close();
      throw error;
    }
  }

  /**
   * Builds one target of docker/Dockerfile.
   *
   * @param context the folder with the files of the repository
   * @returns the name of the image
   */
  build(target: string, context: string, buildArguments: Record<string, string> = {}): string {
    const values = { BUILD_IMAGE: 'localhost/build', RUNTIME_IMAGE: 'localhost/runtime', ...buildArguments };
    this.#bud([
      // The second image uses the build stage of the first one.
      '--layers',
      '--pull-never',
      // npm opens many files at once.
      '--ulimit=nofile=8192:8192',
      '--format=docker',
      `--target=${target}`,
      `--volume=${npmSetting('cache')}:/npm-cache`,
      ...Object.entries(values).map(([name, value]) => `--build-arg=${name}=${value}`),
      `--file=${join(context, 'docker/Dockerfile')}`,
      `--tag=localhost/${target}`,
      context,
    ]);
    return `localhost/${target}`;
  }

  /** Runs podman and returns its output. @throws Error when it fails */
  async podman(...parameters: string[]): Promise<string> {
    return (await promisify(execFile)(this.#podman, [...this.#podmanFlags, ...parameters])).stdout;
  }

  /** Returns what `podman inspect` prints about an image or a container. */
  async inspect<T>(name: string): Promise<T> {
    return (JSON.parse(await this.podman('inspect', name)) as T[])[0]!;
  }

  /**
   * Starts a container in the network of this machine. Its output is the output of the subprocess.
   *
   * @param command a `docker run` command in the syntax of a shell, which runs in `directory`
   */
  run(name: string, command: string, directory: string): Subprocess {
    const flags = [
      `--name=${name}`,
      '--network=host',
      '--read-only-tmpfs=false',
      // podman asks for higher limits, which a machine without CAP_SYS_RESOURCE cannot set.
      '--ulimit=nofile=1024:1024',
      '--ulimit=nproc=1024:1024',
      // Only systemd runs health checks at an interval. Tests run them with `podman healthcheck run`.
      '--health-interval=disable',
    ];
    const podmanRun = [this.#podman, ...this.#podmanFlags, 'run', ...flags].join(' ');
    const script = command.replace(/^docker run /, () => `exec ${podmanRun} `);
    if (script === command) throw new Error(`not a docker run command: ${command}`);
    const container = new Subprocess(['/bin/sh', '-c', `cd '${directory}' && ${script}`], {
      env: { PATH: process.env['PATH']! },
    });
    this.#containers.push(container);
    return container;
  }

  /** Returns the content of an image: the uncompressed layers, the configuration and the manifest. */
  async blobs(image: string): Promise<Buffer[]> {
    const archive = join(this.folder.path, `${basename(image)}-oci`);
    await this.podman('push', '--quiet', image, `oci:${archive}:latest`);
    const folder = join(archive, 'blobs/sha256');
    return readdirSync(folder).map((name) => {
      const content = readFileSync(join(folder, name));
      return content.readUInt16BE(0) === 0x1f8b ? gunzipSync(content) : content;
    });
  }

  async close(): Promise<void> {
    await this.podman('rm', '--force', '--all', '--time', '0');
    await Promise.all(this.#containers.map((container) => container.finished));
    // buildah leaves its folder mounted, and the file systems of a build that failed.
    const mountPoint = join(this.folder.path, 'images/overlay');
    await promisify(execFile)('umount', ['--recursive', mountPoint]).catch(() => {});
    await this.folder.remove();
  }

  get #storageFlags(): string[] {
    return [`--root=${join(this.folder.path, 'images')}`, `--runroot=${join(this.folder.path, 'run')}`];
  }

  get #podmanFlags(): string[] {
    return [
      ...this.#storageFlags,
      `--tmpdir=${join(this.folder.path, 'podman')}`,
      '--cgroup-manager=cgroupfs',
      '--events-backend=file',
      `--runtime=${this.#runc}`,
      '--log-level=fatal',
    ];
  }

  #bud(parameters: readonly string[]): void {
    const command = [...this.#storageFlags, 'bud', '--isolation=chroot', ...parameters];
    try {
      execFileSync(this.#buildah, command, { encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 << 20 });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`buildah bud failed:\n${(stdout + stderr).slice(-4000)}`, { cause: error });
    }
  }

  #createBaseImages(): void {
    const build = join(this.folder.path, 'build');
    copyNode(build, '/usr/local/bin/node');
    // npm runs scripts and RUN runs commands with a shell.
    copyFile(this.#busybox, join(build, 'bin/busybox'));
    for (const name of ['sh', 'env']) symlinkSync('busybox', join(build, 'bin', name));
    mkdirSync(join(build, 'usr/bin'), { recursive: true });
    symlinkSync('/bin/env', join(build, 'usr/bin/env'));
    mkdirSync(join(build, 'tmp'));
    cpSync(npmFolder(), join(build, 'npm'), { recursive: true, dereference: true });
    symlinkSync('/npm/bin/npm-cli.js', join(build, 'usr/local/bin/npm'));
    // The registry of this machine may have a certificate of a private authority.
    const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? CERTIFICATES;
    if (existsSync(certificates)) copyFile(certificates, join(build, CERTIFICATES));
    this.#createImage('build', [
      `ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
      `ENV npm_config_registry=${npmSetting('registry')} npm_config_cache=/npm-cache npm_config_prefer_offline=true`,
    ]);

    const runtime = join(this.folder.path, 'runtime');
    copyNode(runtime, '/nodejs/bin/node');
    mkdirSync(join(runtime, 'tmp'));
    mkdirSync(join(runtime, 'etc'));
    writeFileSync(join(runtime, 'etc/passwd'), `nonroot:x:${NONROOT}:${NONROOT}::/:/sbin/nologin\n`);
    writeFileSync(join(runtime, 'etc/group'), `nonroot:x:${NONROOT}:\n`);
    this.#createImage('runtime', [`USER ${NONROOT}`, 'ENTRYPOINT ["/nodejs/bin/node"]']);
  }

  /** Creates an image with the files of a folder of that name. */
  #createImage(name: string, instructions: readonly string[]): void {
    const dockerfile = join(this.folder.path, `${name}.Dockerfile`);
    writeFileSync(dockerfile, ['FROM scratch', `COPY ${name} /`, ...instructions, ''].join('\n'));
    this.#bud([`--file=${dockerfile}`, `--tag=localhost/${name}`, this.folder.path]);
  }
}

/** Copies the Node.js that runs this test, and the libraries that it needs. */
function copyNode(root: string, path: string): void {
  copyFile(process.execPath, join(root, path));
  chmodSync(join(root, path), 0o755);
  const libraries =
    execFileSync(resolveProgram(LDD), [process.execPath], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const library of libraries) copyFile(library, join(root, library));
}

function copyFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function npmSetting(name: string): string {
  return execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
}

/** The folder of the npm of this machine. */
function npmFolder(): string {
  return dirname(dirname(realpathSync(resolveProgram(NPM))));
}
