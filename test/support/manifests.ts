import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** The part of a compose service that tests read. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: { target: string };
  readonly environment?: Record<string, string>;
  readonly volumes?: string[];
  readonly ports?: string[];
  readonly networks: string[] | Record<string, unknown>;
  readonly read_only?: boolean;
  readonly cap_drop?: string[];
  readonly security_opt?: string[];
  readonly healthcheck?: { test: string[] };
  readonly stop_grace_period?: string;
  readonly deploy?: { resources: { limits: Record<'cpus' | 'memory' | 'pids', string | number> } };
}

interface Probe {
  readonly httpGet: { path: string; port: string };
}

interface Container {
  readonly ports: { name: string; containerPort: number }[];
  readonly env: { name: string }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly volumeMounts: { name: string; mountPath: string; subPath?: string }[];
}

export interface Deployment {
  readonly spec: {
    readonly selector: { matchLabels: Record<string, string> };
    readonly template: {
      readonly metadata: { labels: Record<string, string> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: [Container];
        readonly volumes: { name: string; secret: { secretName: string } }[];
      };
    };
  };
}

const readYaml = (file: string): unknown => parse(readFileSync(file, 'utf8'), { merge: true });

export const composeFile = readYaml('docker/compose.yaml') as { services: Record<string, ComposeService> };

const KUBERNETES = 'docker/kubernetes';

export const readManifest = (name: string): unknown => readYaml(`${KUBERNETES}/base/${name}.yaml`);

export interface Service {
  readonly metadata: { labels: Record<string, string> };
  readonly spec: { selector: Record<string, string>; ports: { name: string; targetPort: string }[] };
}

export interface ServiceMonitor {
  readonly spec: {
    readonly selector: { matchLabels: Record<string, string> };
    readonly endpoints: [{ port: string; path: string }];
  };
}

export const service = readManifest('service') as Service;

export const serviceMonitor = readManifest('../monitoring/service-monitor') as ServiceMonitor;

export const deployment = readManifest('deployment') as Deployment;

/** The data of the ConfigMap in the production overlay. */
export const configMap: Record<string, string> = Object.fromEntries(
  ['base', 'overlays/production'].flatMap((folder) =>
    readFileSync(`${KUBERNETES}/${folder}/gateway.env`, 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  ),
);
