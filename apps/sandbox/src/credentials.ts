import { randomBytes } from 'node:crypto';

/** Credentials that the sandbox accepts. With a `token` they are temporary, and every request must carry it. */
export interface SandboxCredentials {
  readonly secretId: string;
  readonly secretKey: string;
  readonly token?: string;
}

/** Returns random credentials in Tencent's format; the word "demo" marks them as not real. */
export function generateCredentials(): SandboxCredentials {
  return {
    secretId: `AKIDdemo${randomBytes(14).toString('hex')}`,
    secretKey: `demo${randomBytes(14).toString('hex')}`,
  };
}
