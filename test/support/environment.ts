import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';

/** Returns the environment of a gateway that calls the sandbox and accepts anonymous callers. */
export function gatewayEnvironment(sandbox: Sandbox): Record<string, string> {
  const [credentials] = sandbox.credentials;
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    TENCENTCLOUD_SECRET_ID: credentials!.secretId,
    TENCENTCLOUD_SECRET_KEY: credentials!.secretKey,
    TRTC_SDK_APP_ID: '1400000001',
    TRTC_ENDPOINT: sandbox.httpsUrl,
    ALLOW_ANONYMOUS: 'true',
  };
}
