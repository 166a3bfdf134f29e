/** Loaded into each child before its own program: even if the demo is killed outright, no child outlives it. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
