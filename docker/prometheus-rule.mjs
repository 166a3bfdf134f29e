// Writes the rules of prometheus/rules as a resource of the Prometheus Operator: node docker/prometheus-rule.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const read = (name) =>
  parse(readFileSync(join(import.meta.dirname, 'prometheus/rules', name), 'utf8')).groups;
const rule = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'ingest-gateway', labels: { 'app.kubernetes.io/name': 'ingest-gateway' } },
  spec: { groups: [...read('recording.yml'), ...read('alerts.yml')] },
};
writeFileSync(
  join(import.meta.dirname, 'kubernetes/monitoring/prometheus-rule.yaml'),
  `# Written by docker/prometheus-rule.mjs from docker/prometheus/rules. Do not edit.\n${stringify(rule, { lineWidth: 0 })}`,
);
