import { CLOUD_HOSTS, createCertificateAuthority, type CertificateFactory } from './certificates.js';
import { CloudListener } from './cloud-listener.js';
import { Cloud } from './cloud.js';
import { createControlApi } from './control.js';
import { generateCredentials, type SandboxCredentials } from './credentials.js';
import { Network, NO_DELAYS, type Delays } from './delays.js';
import { Faults, type FaultRule } from './faults.js';
import { createRequestHandler } from './request-handler.js';
import type { SandboxControl } from './sandbox-control.js';
import type { Settings } from './settings.js';
import { Tasks, type Task } from './tasks.js';

export interface SandboxOptions extends Partial<Settings> {
  /** Default: generated at start. */
  readonly credentials?: readonly SandboxCredentials[];
  /** Default: 1400000001. */
  readonly sdkAppIds?: readonly number[];
  /** Address of the cloud's listeners; default 127.0.0.1. The control API always uses 127.0.0.1. */
  readonly host?: string;
  /** Ports; 0, the default, means any free port. */
  readonly port?: number;
  readonly tlsPort?: number;
  readonly controlPort?: number;
  readonly tasks?: readonly Task[];
  readonly delays?: Delays;
  readonly faults?: readonly FaultRule[];
  /** The certificate for HTTPS; default: a valid one. */
  readonly certificate?: CertificateFactory;
  /** Wall clock, in milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock, in milliseconds; default `performance.now`. */
  readonly monotonic?: () => number;
  /** Returns [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

export interface Sandbox extends SandboxControl {
  readonly httpUrl: string;
  readonly httpsUrl: string;
  readonly controlUrl: string;
  /** The CA certificate, PEM, that verifies `httpsUrl`. */
  readonly ca: string;
  readonly credentials: readonly SandboxCredentials[];
  /** Immediately sends the responses that `slow` faults delay. */
  releaseSlowResponses(): void;
  /** Closes every connection and resolves when all ports are free. */
  close(): Promise<void>;
}

/**
 * Starts a stand-in for the part of Tencent Cloud that serves `StopStreamIngest`.
 *
 * @throws the system's error (e.g. `EADDRINUSE`) when a port is not available; nothing stays open then
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host = '127.0.0.1', random = Math.random, now: clock = Date.now } = options;
  const credentials = options.credentials ?? [generateCredentials()];
  const settings: Settings = {
    acceptUnknownTasks: options.acceptUnknownTasks ?? false,
    quotaPerSecond: options.quotaPerSecond ?? 20,
    clockOffsetSeconds: options.clockOffsetSeconds ?? 0,
  };
  const now = (): number => clock() + settings.clockOffsetSeconds * 1000;
  const tasks = new Tasks();
  for (const task of options.tasks ?? []) tasks.put(task);
  const faults = new Faults(random);
  faults.replace(options.faults ?? []);

  const closing = new AbortController();
  let releasing = new AbortController();
  const network = new Network(options.delays ?? NO_DELAYS, random, closing.signal);
  const cloud = new Cloud({
    credentials,
    sdkAppIds: options.sdkAppIds ?? [1400000001],
    settings,
    tasks,
    faults,
    now,
    monotonic: options.monotonic ?? (() => performance.now()),
    closing: closing.signal,
    releasing: () => releasing.signal,
  });

  const authority = await createCertificateAuthority();
  const certificate = await (options.certificate ?? validCertificate(host))(authority);
  const handle = createRequestHandler({ cloud, network, now, closing: closing.signal });
  let connections = 0;
  const nextNumber = (): number => (connections += 1);
  const http = new CloudListener(handle, nextNumber);
  const https = new CloudListener(handle, nextNumber, certificate);

  const endpoints = { http: '', https: '', control: '' };
  const control: SandboxControl = {
    state: () => ({
      endpoints,
      statistics: cloud.statistics,
      settings: { ...settings },
      delays: network.delays,
      faults: faults.list(),
    }),
    receivedRequests: () => cloud.receivedRequests.list(),
    clearReceivedRequests: () => cloud.receivedRequests.clear(),
    tasks: () => tasks.list(),
    putTask: (task) => tasks.put(task),
    setDelays: (delays) => network.update(delays),
    setFaults: (rules) => faults.replace(rules),
    setSettings: (changes) => Object.assign(settings, changes),
  };
  const controlApi = createControlApi(control);

  function releaseSlowResponses(): void {
    releasing.abort();
    releasing = new AbortController();
  }

  async function close(): Promise<void> {
    closing.abort();
    await Promise.all([http.close(), https.close(), controlApi.close()]);
  }

  try {
    endpoints.http = `http://${hostAndPort(host, await http.listen(host, options.port ?? 0))}`;
    endpoints.https = `https://${hostAndPort(host, await https.listen(host, options.tlsPort ?? 0))}`;
    endpoints.control = await controlApi.listen({ host: '127.0.0.1', port: options.controlPort ?? 0 });
  } catch (error) {
    await close();
    throw error;
  }

  return {
    ...control,
    httpUrl: endpoints.http,
    httpsUrl: endpoints.https,
    controlUrl: endpoints.control,
    ca: authority.ca,
    credentials,
    releaseSlowResponses,
    close,
  };
}

function validCertificate(host: string): CertificateFactory {
  return (authority) => authority.issue({ hosts: [...new Set([...CLOUD_HOSTS, host])] });
}

function hostAndPort(host: string, port: number): string {
  // A listener on all interfaces is reachable through loopback.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}
