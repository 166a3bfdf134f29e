// Exits 0 when the container answers 200, for an image without a shell: node healthcheck.mjs <path> [port]
const [path, port = process.env.PORT || '3000'] = process.argv.slice(2);
const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
  signal: AbortSignal.timeout(2000),
}).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);
