// Exits with 0 if the response of the container is 2xx, for an image without a shell: node healthcheck.mjs <path> [port]
const [path, port = process.env.PORT || '3000'] = process.argv.slice(2);
// HOST decides whether the gateway listens on IPv4 or IPv6.
const responses = ['127.0.0.1', '[::1]'].map((host) =>
  fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(2000) }),
);
const response = await Promise.any(responses).catch(() => undefined);
process.exit(response?.ok ? 0 : 1);
