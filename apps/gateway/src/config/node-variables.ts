const REQUESTS = 'it writes requests and their secrets to the log';
const MEMORY = 'it opens a debugger, or writes the memory or the keys of the process to a file';

/** Variables of Node.js that a process inherits, and that disclose secrets or turn off certificate checks. */
const FORBIDDEN: readonly [name: string, pattern: RegExp, reason: string][] = [
  ['NODE_DEBUG', /\*|\b(net|tls|https?|http2|undici)\b/i, REQUESTS],
  ['NODE_DEBUG_NATIVE', /./, REQUESTS],
  ['NODE_TLS_REJECT_UNAUTHORIZED', /^0$/, 'it turns off certificate checks'],
  ['SSLKEYLOGFILE', /./, 'it writes the keys of TLS connections to a file'],
  [
    'NODE_OPTIONS',
    /--(inspect|report|heapsnapshot|heap-prof|cpu-prof|tls-keylog|trace-tls|diagnostic-dir|abort-on-uncaught)/,
    MEMORY,
  ],
  ['NODE_V8_COVERAGE', /./, MEMORY],
];

/** Lists the variables of Node.js that must not be set in production. */
export function validateNodeVariables(variables: NodeJS.ProcessEnv): string[] {
  if (variables['NODE_ENV'] !== 'production') return [];
  return FORBIDDEN.filter(([name, pattern]) => pattern.test(variables[name] ?? '')).map(
    ([name, , reason]) => `${name} must not have this value in production: ${reason}`,
  );
}
