import { EX_CONFIG, InvalidConfiguration } from '../config/invalid-configuration.js';

/** What the system says when a listener cannot be opened. */
type ListenError = NodeJS.ErrnoException & { address?: string; port?: number };

/** What is wrong when the gateway does not start, what to do about it, and the exit code of the process. */
export function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof InvalidConfiguration) return { message: error.message, exitCode: EX_CONFIG };
  return { message: sentence(error as ListenError), exitCode: 1 };
}

function sentence(error: ListenError): string {
  const { code, address, port, syscall } = error;
  // Of an address that was misconfigured nothing is shown: it may be what was meant for another variable.
  if (code === 'EADDRINUSE')
    return `port ${port} of ${address} is taken: choose another with PORT, or end what listens there`;
  if (code === 'EACCES' && syscall === 'listen')
    return `this user may not listen on port ${port}: choose one from 1024 on with PORT`;
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
    return 'HOST is not an address of this machine: 0.0.0.0 stands for all that it has, 127.0.0.1 for loopback alone';
  if (syscall === 'getaddrinfo')
    return 'HOST is a name that does not resolve: give an address of this machine, such as 0.0.0.0 for all that it has';
  if (code === 'ERR_MODULE_NOT_FOUND') return 'the build is not whole: run "npm run build"';
  return error instanceof Error ? error.message : 'the gateway could not start';
}
