import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';

/** What a process holds on to. */
export interface Holdings {
  readonly heapBytes: number;
  readonly fileDescriptors: number;
}

/** The built gateway in a process of its own, in front of a sandbox. */
export class SoakedGateway {
  private constructor(
    readonly url: string,
    readonly process: ChildProcess,
  ) {}

  static async start(sandbox: Sandbox, variables: Record<string, string>): Promise<SoakedGateway> {
    const [credentials] = sandbox.credentials;
    const child = spawn(process.execPath, ['--expose-gc', 'dist/gateway/main.js'], {
      env: {
        HOST: '127.0.0.1',
        PORT: '0',
        ALLOW_ANONYMOUS: 'true',
        TENCENTCLOUD_SECRET_ID: credentials!.secretId,
        TENCENTCLOUD_SECRET_KEY: credentials!.secretKey,
        TRTC_SDK_APP_ID: '1400000001',
        TRTC_ENDPOINT: sandbox.httpUrl,
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        const found = /listening on (http:\/\/[^\s,"]+)/.exec(chunk.toString());
        if (found) resolve(found[1]!);
      });
      child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
    });
    return new SoakedGateway(url, child);
  }

  async holdings(): Promise<Holdings> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    return {
      heapBytes: value('nodejs_heap_size_used_bytes'),
      fileDescriptors: value('process_open_fds'),
    };
  }

  /** @returns the exit code */
  async stop(): Promise<number | null> {
    this.process.kill('SIGTERM');
    const [code] = (await once(this.process, 'exit')) as [number | null];
    return code;
  }
}
