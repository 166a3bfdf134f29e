import { spawn } from 'node:child_process';

// A process of its own between the demo and Redis: it ends with the demo, and then ends Redis.
const { REDIS_PORT: port = '', REDIS_FOLDER: folder = '' } = process.env;
const settings = ['--bind', '127.0.0.1', '--port', port, '--dir', folder, '--save', ''];
const durability = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
const redis = spawn('redis-server', [...settings, ...durability], { stdio: ['ignore', 'ignore', 'inherit'] });
process.once('SIGTERM', () => redis.kill('SIGTERM'));
redis.once('exit', (code) => process.exit(code ?? 1));
