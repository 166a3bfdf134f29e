const REQUESTS = 'it writes requests and their secrets to the log';
const MEMORY = 'it opens a debugger, or writes the memory or the keys of the process to a file';
const TLS = 'it turns off certificate checks, or allows outdated versions of TLS';

/** Variables of Node.js that a process inherits, and that disclose secrets or turn off certificate checks. */
const FORBIDDEN_VARIABLES: readonly [name: string, pattern: RegExp, reason: string][] = [
  ['NODE_DEBUG', /\*|\b(net|tls|https?|http2|undici)\b/i, REQUESTS],
  ['NODE_DEBUG_NATIVE', /./, REQUESTS],
  ['NODE_TLS_REJECT_UNAUTHORIZED', /^0$/, TLS],
  ['SSLKEYLOGFILE', /./, 'it writes the keys of TLS connections to a file'],
  ['NODE_V8_COVERAGE', /./, MEMORY],
];

/** Beginnings of options of Node.js, in NODE_OPTIONS or in the start command. */
const FORBIDDEN_OPTIONS: readonly [pattern: RegExp, reason: string][] = [
  [
    /^--(inspect|report|heapsnapshot|heap-prof|cpu-prof|tls-keylog|trace-tls|diagnostic-dir|abort-on-uncaught)/,
    MEMORY,
  ],
  [/^--tls-min-v1\.[01]/, TLS],
  [/^--insecure-http-parser/, 'it accepts ambiguous HTTP'],
];

/**
 * Lists the variables and options of Node.js that must not be set in production, with their names only.
 *
 * @param nodeArguments the options of Node.js in the start command
 */
export function validateNodeSettings(
  variables: NodeJS.ProcessEnv,
  nodeArguments: readonly string[],
): string[] {
  if (variables['NODE_ENV'] !== 'production') return [];
  const inherited = (variables['NODE_OPTIONS'] ?? '').split(/[\s"]+/);
  return [
    ...FORBIDDEN_VARIABLES.filter(([name, pattern]) => pattern.test(variables[name] ?? '')).map(
      ([name, , reason]) => `${name} must not have this value in production: ${reason}`,
    ),
    ...describeOptions(inherited).map((error) => `NODE_OPTIONS must not contain ${error}`),
    ...describeOptions(nodeArguments).map((error) => `the start command must not contain ${error}`),
  ];
}

function describeOptions(nodeOptions: readonly string[]): string[] {
  return nodeOptions.flatMap((option) => {
    // Node.js accepts underscores instead of dashes.
    const [name = ''] = option.replaceAll('_', '-').split('=', 1);
    const [, reason] = FORBIDDEN_OPTIONS.find(([pattern]) => pattern.test(name)) ?? [];
    return reason === undefined ? [] : [`${name} in production: ${reason}`];
  });
}
