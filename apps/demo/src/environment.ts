import { spawn } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The sandbox and the gateway, and Redis if it is installed, all running on loopback. */
export type Environment = Awaited<ReturnType<typeof startEnvironment>>;

export const SDK_APP_ID = 1400000001;

const HOST = '127.0.0.1';
const POLL_INTERVAL_MS = 25;
const POLL_TIMEOUT_MS = 30_000;
const KILL_AFTER_MS = 5000;
// Loaded into each child, so that it ends even if the demo is killed with SIGKILL.
const EXIT_WITH_PARENT =
  'data:text/javascript,process.once("disconnect",()=>process.kill(process.pid,"SIGTERM"));process.channel.unref()';

/** @throws the reason of `interrupted`, or an Error that says in one line which process did not start and why */
export async function startEnvironment(interrupted: AbortSignal) {
  const folder = await mkdtemp(join(tmpdir(), 'ingest-gateway-demo-'));
  const caFile = join(folder, 'ca.pem');
  const callersFile = join(folder, 'callers.json');
  const secretId = `AKIDdemo${randomBytes(14).toString('hex')}`;
  const secretKey = `demo${randomBytes(14).toString('hex')}`;
  const key = `igw_${randomBytes(32).toString('base64url')}`;
  const children: Awaited<ReturnType<typeof startProgram>>[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await writeFile(callersFile, JSON.stringify([{ name: 'demo', keySha256: hash('sha256', key) }]));
    const [port, httpPort, httpsPort, controlPort, redisPort] = (await findFreePorts(5)).map(String);
    const hasRedis = await isOnPath('redis-server');
    if (hasRedis) {
      const { PATH } = process.env;
      children.push(
        await startProgram('Redis', 'redis.js', { PATH, REDIS_PORT: redisPort, REDIS_FOLDER: folder }),
      );
    }
    const sandbox = await startProgram('sandbox', '../../sandbox/src/main.js', {
      SANDBOX_HOST: HOST,
      SANDBOX_PORT: httpPort,
      SANDBOX_TLS_PORT: httpsPort,
      SANDBOX_CONTROL_PORT: controlPort,
      SANDBOX_CA_FILE: caFile,
      SANDBOX_SDK_APP_ID: String(SDK_APP_ID),
      SANDBOX_SECRET_ID: secretId,
      SANDBOX_SECRET_KEY: secretKey,
    });
    children.push(sandbox);
    // The sandbox writes this file once it listens.
    const hasCa = async () => (await readFile(caFile, 'utf8')).includes('END CERTIFICATE');
    await waitUntil(AbortSignal.any([interrupted, sandbox.exited]), 'the sandbox starts', hasCa);
    const cloudUrl = `https://${HOST}:${httpsPort}`;
    const gateway = await startProgram('gateway', '../../../gateway/main.js', {
      HOST,
      PORT: port,
      CALLERS_FILE: callersFile,
      NODE_EXTRA_CA_CERTS: caFile,
      TENCENTCLOUD_SECRET_ID: secretId,
      TENCENTCLOUD_SECRET_KEY: secretKey,
      TRTC_ENDPOINT: cloudUrl,
      TRTC_SDK_APP_ID: String(SDK_APP_ID),
      ...(hasRedis && { REDIS_URL: `redis://${HOST}:${redisPort}` }),
    });
    children.push(gateway);
    const signal = AbortSignal.any([interrupted, ...children.map(({ exited }) => exited)]);
    const gatewayUrl = `http://${HOST}:${port}`;
    await waitUntil(signal, 'the gateway is ready', async () => (await fetch(`${gatewayUrl}/readyz`)).ok);
    return { gatewayUrl, cloudUrl, controlUrl: `http://${HOST}:${controlPort}`, hasRedis, key, signal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Polls until `condition` holds; a rejection counts as false. @throws an Error after 30 s, or the reason of `signal` */
export async function waitUntil(signal: AbortSignal, what: string, condition: () => Promise<boolean>) {
  const deadline = performance.now() + POLL_TIMEOUT_MS;
  while (!(await condition().catch(() => false))) {
    signal.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`waited ${POLL_TIMEOUT_MS / 1000} s until ${what}`);
    await sleep(POLL_INTERVAL_MS);
  }
}

/** @param env the whole environment: the user's variables, which may hold real credentials, are not passed on */
async function startProgram(name: string, file: string, env: NodeJS.ProcessEnv) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  await access(path).catch(() => {
    throw new Error(`cannot start the ${name}: ${relative('', path)} is missing; run "npm run build" first`);
  });
  const args = ['--import', EXIT_WITH_PARENT, path];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let output = '';
  child.stderr!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new AbortController();
  child.once('error', ({ message }) => exit.abort(new Error(`cannot start the ${name}: ${message}`)));
  child.once('close', (code, signal) => {
    const lastOutput = output.replaceAll(/\s+/g, ' ').trim();
    exit.abort(new Error(`the ${name} ended with ${signal ?? `exit code ${code}`}: ${lastOutput}`));
  });
  const stop = async () => {
    if (exit.signal.aborted) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.kill('SIGTERM');
    await once(exit.signal, 'abort');
    clearTimeout(timer);
  };
  return { exited: exit.signal, stop };
}

async function isOnPath(program: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = await Promise.allSettled(folders.map((each) => access(join(each, program), constants.X_OK)));
  return found.some(({ status }) => status === 'fulfilled');
}

async function findFreePorts(count: number): Promise<number[]> {
  // All are open at the same time, so that they differ.
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
