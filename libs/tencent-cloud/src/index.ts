export { TencentCloudClient } from './client.js';
export type { Action, CallOptions, ClientObserver, ClientOptions, Permit } from './client.js';
export type { Clock } from './clock.js';
export { Credentials } from './credentials.js';
export { DOCUMENTED_CODES, isCode } from './error-codes.js';
export { CloudFailed, CloudRefused, CloudTimeout, CloudUnreachable } from './errors.js';
export type { CloudWord } from './errors.js';
export { STOP_STREAM_INGEST_REGIONS, stopStreamIngest } from './stop-stream-ingest.js';
export type { RelayTask, StopResult } from './stop-stream-ingest.js';
