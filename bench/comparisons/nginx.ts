import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.js';
import { Subprocess } from '../../test/support/process.js';
import { resolveProgram, type Program } from '../../test/support/programs.js';
import { SERVER_CORE } from './script.js';

const NGINX: Program = { name: 'nginx', packages: ['nginx'], installHint: 'macOS: brew install nginx.' };

/** nginx with `limit_req` and one worker, on the core of the servers, with its default access log. */
export class Nginx {
  private constructor(
    private readonly master: Subprocess,
    readonly port: number,
    private readonly worker: number,
    private readonly folder: string,
  ) {}

  /** @returns undefined where nginx is not installed and cannot be installed */
  static async start(): Promise<Nginx | undefined> {
    let program: string;
    try {
      program = resolveProgram(NGINX);
    } catch {
      return undefined;
    }
    const folder = mkdtempSync(join(tmpdir(), 'ingest-gateway-nginx-'));
    const port = await freePort();
    const configuration = join(folder, 'nginx.conf');
    const pidFile = join(folder, 'pid');
    writeFileSync(
      configuration,
      `daemon off; worker_processes 1; pid ${pidFile}; error_log /dev/null crit;
       events { worker_connections 1024; }
       http {
         access_log ${folder}/access.log; limit_req_status 429; limit_req_log_level info;
         keepalive_requests 100000000;
         client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
         uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
         limit_req_zone $server_name zone=stop:1m rate=20r/s;
         server { listen 127.0.0.1:${port}; server_name gateway; limit_req zone=stop; 
           location / { try_files /nothing @admitted; } location @admitted { return 204; } }
       }`,
    );
    const master = new Subprocess([program, '-c', configuration, '-e', '/dev/null', '-p', folder], {
      core: SERVER_CORE,
    });
    let worker: number | undefined;
    while (worker === undefined) {
      await sleep(20);
      worker = workerOf(pidFile);
    }
    return new Nginx(master, port, worker, folder);
  }

  cpuSeconds(): number {
    return this.master.cpuSeconds(this.worker);
  }

  async stop(): Promise<void> {
    await this.master.stop('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function workerOf(pidFile: string): number | undefined {
  try {
    const master = readFileSync(pidFile, 'utf8').trim();
    return (
      Number(execFileSync('ps', ['-o', 'pid=', '--ppid', master], { encoding: 'utf8' }).trim()) || undefined
    );
  } catch {
    return undefined;
  }
}
