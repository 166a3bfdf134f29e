/** A client of Tencent Cloud's API, with retries, a circuit breaker and credentials that can change at any time. */
export { TencentCloudClient } from './client.js';
export { isSecret, isSecretId } from '#libs/tc3';
export { Credentials, SECRET_ID_FORMAT, SECRET_FORMAT } from './credentials/credentials.js';
export { FileCredentialsProvider } from './credentials/file-credentials-provider.js';
export type { CredentialSource, CredentialSources } from './credentials/file-credentials-provider.js';
export { StaticCredentialsProvider } from './credentials/static-credentials-provider.js';
export { instanceRoleProvider, METADATA_SERVICE_ORIGIN } from './credentials/instance-role.js';
export { webIdentityProvider, type WebIdentityOptions } from './credentials/web-identity.js';
export { CredentialsUnavailableError } from './credentials/credentials-provider.js';
export type { CredentialsObserver, CredentialsProvider } from './credentials/credentials-provider.js';
export { divideConnectTime, resolveAddresses, toConnectOptions } from './connect-options.js';
export { DOCUMENTED_CODES, isCode } from './error-codes.js';
export {
  CircuitOpenError,
  CloudFailedError,
  CloudRejectedError,
  CloudTimeoutError,
  CloudUnreachableError,
} from './errors.js';
export type { Attempt, CallObserver, CircuitStateName, ClientObserver, RetryReason } from './observer.js';
export type { ProxyOptions } from './proxy-tunnel.js';
export { STOP_STREAM_INGEST_REGIONS, stopStreamIngest } from './stop-stream-ingest.js';
export type { StopResult } from './stop-stream-ingest.js';
