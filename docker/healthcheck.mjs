// Exits with 0 if the response of the container is 2xx, for an image without a shell: node healthcheck.mjs <path> [port]
const [path, port = process.env.PORT || '3000'] = process.argv.slice(2);
const response = await fetch(`http://127.0.0.1:${port}${path}`, {
  signal: AbortSignal.timeout(2000),
}).catch(() => undefined);
process.exit(response?.ok ? 0 : 1);
