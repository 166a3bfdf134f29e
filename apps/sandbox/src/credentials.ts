import { randomBytes } from 'node:crypto';

/** One key pair that the sandbox knows. With a `token` it is a temporary one, and every request must carry the token. */
export interface SandboxCredentials {
  readonly secretId: string;
  readonly secretKey: string;
  readonly token?: string;
}

/** A fresh pair in the form of Tencent's, that nobody can mistake for a real one. */
export function generateCredentials(): SandboxCredentials {
  return {
    secretId: `AKIDdemo${randomBytes(14).toString('hex')}`,
    secretKey: `demo${randomBytes(14).toString('hex')}`,
  };
}
