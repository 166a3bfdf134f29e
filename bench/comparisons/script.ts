import { Subprocess, type SubprocessOptions } from '../../test/support/process.js';

/** Servers run on the first core; the load and the upstream run on the second. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

export interface Script<T> {
  readonly child: Subprocess;
  /** The first message of the script: of a server, its port. */
  readonly ready: T;
}

/** Starts a script of the benchmark in its own process, and waits for its first message. */
export async function startScript<T = number>(
  path: string,
  options: unknown,
  processOptions: SubprocessOptions = {},
): Promise<Script<T>> {
  const child = new Subprocess([process.execPath, new URL(path, import.meta.url).pathname], {
    stdout: 'ignore',
    stderr: 'inherit',
    hasChannel: true,
    ...processOptions,
    env: { NODE_ENV: 'production', OPTIONS: JSON.stringify(options) },
  });
  return { child, ready: await child.nextMessage<T>() };
}

/** The options of the script that this process runs. */
export function scriptOptions(): unknown {
  return JSON.parse(process.env['OPTIONS']!);
}
