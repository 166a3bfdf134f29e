// Bundles the built gateway and its packages into dist/gateway/: a few files instead of 1,500, which halves the startup
// time. docs/adr/0012-one-bundle.md explains what is not bundled, and why.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist/gateway';

/** Packages that Nest imports on demand and that are not installed. */
const NOT_INSTALLED = [
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@nestjs/websockets',
];

/** Files that are served unchanged, and a development dependency. */
const NOT_BUNDLED = ['swagger-ui-dist', 'pino-pretty'];

/**
 * Source maps name the file of a package, but no lines: with all lines of all packages, reading the map would double the
 * startup time.
 */
const packagesByFile = {
  name: 'packages by file',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules.*\.[cm]?js$/ }, ({ path }) => {
      const map = JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' });
      const comment = `//# sourceMappingURL=data:application/json;base64,${btoa(map)}`;
      return { contents: `${readFileSync(path, 'utf8')}\n${comment}`, loader: 'js' };
    });
  },
};

const { metafile } = await build({
  entryPoints: {
    main: 'dist/apps/gateway/src/main.js',
    'generate-api-key': 'dist/apps/gateway/src/cli/generate-api-key.js',
  },
  outdir: OUT,
  bundle: true,
  // Redis, tracing and the OpenAPI document are imported on demand and stay separate files.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  external: [...NOT_BUNDLED, ...NOT_INSTALLED.flatMap((name) => [name, `${name}/*`])],
  // CommonJS packages require built-in modules, and ES modules have no `require`.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  plugins: [packagesByFile],
  metafile: true,
  logLevel: 'warning',
});

const externalImports = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ kind, external, path }) => external && kind === 'import-statement' && !isBuiltin(path));
if (externalImports.length > 0)
  throw new Error(`imported at start but not bundled: ${externalImports.map(({ path }) => path).join(', ')}`);

// Only what has code in the bundle, and what is served beside it.
const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
);
const folders = new Set([
  'node_modules/swagger-ui-dist',
  ...bundled.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []),
]);
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
// One entry for a version that is installed in several folders.
const packages = Object.values(
  Object.fromEntries(
    [...folders].toSorted().map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const { integrity } = lock.packages[folder];
      return [`${name}@${version}`, { name, version, license, integrity, folder }];
    }),
  ),
);
writeFileSync(join(OUT, 'THIRD-PARTY-LICENSES.txt'), packages.map(licenseOf).join('\n'));
// supply-chain/sbom.mjs reads it.
writeFileSync('dist/packages.json', JSON.stringify(packages));

/** The name, the version and the licence texts of a package. */
function licenseOf({ name, version, license, folder }) {
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice)|^swagger-ui-bundle\.js\.LICENSE/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version}: ${license}`, '', ...texts, ''].join('\n');
}
