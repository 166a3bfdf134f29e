import { randomBytes } from 'node:crypto';

export interface DemoCredentials {
  readonly secretId: string;
  readonly secretKey: string;
}

/** A pair for this run, in the form of Tencent's; it opens nothing but the sandbox. */
export function demoCredentials(): DemoCredentials {
  return {
    secretId: `AKIDdemo${randomBytes(14).toString('hex')}`,
    secretKey: `demo${randomBytes(14).toString('hex')}`,
  };
}
