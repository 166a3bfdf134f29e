import { EX_CONFIG, InvalidConfigurationError } from '../config/invalid-configuration.error.js';

/** The system's error when a listener cannot be opened. */
type ListenError = NodeJS.ErrnoException & { address?: string; port?: number };

/** Returns why the gateway cannot start, how to fix it, and the exit code of the process. */
export function describeStartupError(error: unknown): { message: string; exitCode: number } {
  if (error instanceof InvalidConfigurationError) return { message: error.message, exitCode: EX_CONFIG };
  return { message: messageFor(error as ListenError), exitCode: 1 };
}

function messageFor(error: ListenError): string {
  const { code, address, port, syscall } = error;
  // An invalid HOST is not shown: it may be the value of another variable.
  if (code === 'EADDRINUSE')
    return `port ${port} of ${address} is in use: choose another with PORT, or stop the program that listens there`;
  if (code === 'EACCES' && syscall === 'listen')
    return `this user has no permission to listen on port ${port}: set PORT to 1024 or higher`;
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
    return 'HOST is not an address of this machine: use 0.0.0.0 for all its addresses, or 127.0.0.1 for loopback only';
  if (syscall === 'getaddrinfo')
    return 'HOST is a name that does not resolve: use an address of this machine, such as 0.0.0.0 for all of them';
  if (code === 'ERR_MODULE_NOT_FOUND') return 'the build is incomplete: run "npm run build"';
  return error instanceof Error ? error.message : 'the gateway could not start';
}
