// Puts the built gateway and the packages it needs into dist/gateway/: a few files instead of 1,500, which is half of
// what a start takes. docs/decisions/0013-one-bundle.md says what stays outside, and why.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist/gateway';

/** What Nest looks for on demand and production has not. */
const NOT_INSTALLED = [
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@nestjs/websockets',
];

/** Files that are sent as they are, and a convenience of development. */
const LEFT_OUTSIDE = ['swagger-ui-dist', 'pino-pretty'];

/**
 * Of a package the source map tells the file and no lines: with every line of every package, reading the map would take
 * as long as all else of a start.
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
  // What is imported on demand stays a file of its own: Redis, tracing, the API's document.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  external: [...LEFT_OUTSIDE, ...NOT_INSTALLED.flatMap((name) => [name, `${name}/*`])],
  // Packages in CommonJS ask for Node's own modules by require, which a module does not have.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  plugins: [packagesByFile],
  metafile: true,
  logLevel: 'warning',
});

const needed = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ kind, external, path }) => external && kind === 'import-statement' && !isBuiltin(path));
if (needed.length > 0) throw new Error(`not on demand: ${needed.map(({ path }) => path).join(', ')}`);

const folders = new Set(
  Object.keys(metafile.inputs).flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []),
);
writeFileSync(join(OUT, 'THIRD-PARTY-LICENSES.txt'), [...folders].toSorted().map(licenseOf).join('\n'));

/** Name, version and licence of a package, as its authors want them to go along. */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice)/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version}: ${license}`, '', ...texts, ''].join('\n');
}
