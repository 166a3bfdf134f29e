// Creates a running task in the sandbox of this container: node docker/put-task.mjs <taskId>
const [taskId] = process.argv.slice(2);
if (!taskId) throw new Error('usage: node docker/put-task.mjs <taskId>');
const sdkAppId = Number(process.env.SANDBOX_SDK_APP_ID || 1400000001);
const { ok, status } = await fetch(`http://127.0.0.1:4481/tasks/${encodeURIComponent(taskId)}`, {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ sdkAppId, status: 'running' }),
});
process.stdout.write(ok ? `${taskId} is running\n` : `the sandbox responded with ${status}\n`);
process.exit(ok ? 0 : 1);
