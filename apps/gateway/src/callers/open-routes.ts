/** The routes that answer without a key. Every other one asks for a key, whoever adds it. */
export const OPEN_ROUTES: ReadonlySet<string> = new Set([
  '/livez',
  '/readyz',
  '/metrics',
  '/docs',
  '/docs/:file',
  '/openapi.json',
  '/problems',
  '/problems/:code',
]);
