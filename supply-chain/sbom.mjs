// Writes a CycloneDX bill of materials of the built gateway: its packages, as the bundler reports them, and the Node.js
// that runs this script.
//
//   npm run --silent sbom > bom.json          node supply-chain/sbom.mjs <file>
import { readFileSync, writeFileSync } from 'node:fs';

const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const packages = JSON.parse(readFileSync('dist/packages.json', 'utf8'));
const node = process.versions.node;

const application = {
  'bom-ref': `${name}@${version}`,
  type: 'application',
  name,
  version,
  licenses: [{ license: { id: license } }],
};
const runtime = {
  'bom-ref': `node@${node}`,
  type: 'platform',
  name: 'node',
  version: node,
  cpe: `cpe:2.3:a:nodejs:node.js:${node}:*:*:*:-:*:*:*`,
  purl: `pkg:generic/node@${node}`,
};
const components = [runtime, ...packages.map(toComponent)];
const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { component: application },
  components,
  dependencies: [
    { ref: application['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) },
  ],
};
const text = `${JSON.stringify(bom, null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file) writeFileSync(file, text);
else process.stdout.write(text);

function toComponent({ name: fullName, version: packageVersion, license: expression, integrity }) {
  const [, group, shortName] = /^(?:(@[^/]+)\/)?(.+)$/.exec(fullName);
  const [, algorithm, digest] = /^(sha512)-(.+)$/.exec(integrity);
  return {
    'bom-ref': `${fullName}@${packageVersion}`,
    type: 'library',
    ...(group && { group }),
    name: shortName,
    version: packageVersion,
    hashes: [
      {
        alg: algorithm.replace('sha', 'SHA-'),
        content: Buffer.from(digest, 'base64').toString('hex'),
      },
    ],
    licenses: [{ expression }],
    purl: `pkg:npm/${fullName.replace('@', '%40')}@${packageVersion}`,
  };
}
