import { readFileSync } from 'node:fs';
import { words } from '../support/words.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export interface ContractMetric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** The values of each label; `le` holds the upper bounds of the buckets. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

/**
 * Every metric of a gateway right after start with anonymous callers: exactly these labels with exactly these values.
 * The default metrics of prom-client (`process_`, `nodejs_`) are left out.
 */
export const METRICS: Readonly<Record<string, ContractMetric>> = {
  ingest_gateway_build_info: {
    type: 'gauge',
    labels: { version: [version], revision: ['unknown'], node: [process.version] },
  },
  ingest_gateway_event_loop_lag_seconds: {
    type: 'histogram',
    labels: { le: words('0.001 0.005 0.01 0.02 0.05 0.1 0.2 0.3 0.5 1 2.5 5 +Inf') },
  },
  ingest_gateway_callers_reload_failures_total: { type: 'counter', labels: {} },
  ingest_gateway_callers_last_reload_success_timestamp_seconds: { type: 'gauge', labels: {} },
  ingest_gateway_callers_last_reload_successful: { type: 'gauge', labels: {} },
  http_server_request_duration_seconds: {
    type: 'histogram',
    labels: {
      le: words('0.001 0.0025 0.005 0.01 0.015 0.02 0.03 0.04 0.05 0.075 0.1 0.25 0.5 1 2.5 5 10 20 40 +Inf'),
      method: ['DELETE', 'GET', 'HEAD', 'other'],
      route: words(`/ingest-tasks/:id /livez /readyz /metrics /docs /docs/:file /openapi.json /problems
        /problems/:code /stops /stops/:id unmatched`),
      status: words('200 202 499 400 401 403 404 405 408 413 429 431 500 502 503 504'),
    },
  },
  ingest_gateway_stop_requests_total: {
    type: 'counter',
    labels: {
      caller: ['anonymous'],
      result: words(`stopped already-finished accepted invalid-request sdk-app-id-rejected unauthenticated
        sdk-app-id-not-allowed route-not-found task-not-found stop-not-found method-not-allowed request-timeout
        content-too-large quota-exhausted share-exhausted backlog-full request-header-fields-too-large internal-error
        upstream-refused-gateway upstream-rejected upstream-unreachable upstream-failed
        upstream-unavailable quota-unavailable stops-unavailable shutting-down upstream-throttled upstream-timeout`),
    },
  },
  ingest_gateway_stop_requests_coalesced_total: {
    type: 'counter',
    labels: { source: ['in_flight', 'cache'] },
  },
  ingest_gateway_log_lines_dropped_total: { type: 'counter', labels: {} },
  ingest_gateway_credentials_last_reload_success_timestamp_seconds: { type: 'gauge', labels: {} },
  ingest_gateway_credentials_last_reload_successful: { type: 'gauge', labels: {} },
  ingest_gateway_credentials_expiry_timestamp_seconds: { type: 'gauge', labels: {} },
  ingest_gateway_credentials_reload_failures_total: { type: 'counter', labels: {} },
  tencentcloud_request_duration_seconds: {
    type: 'histogram',
    labels: {
      le: words('0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 +Inf'),
      action: ['StopStreamIngest'],
      code: words(`OK ActionOffline AuthFailure AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId
        AuthFailure.MFAFailure AuthFailure.SecretIdNotFound AuthFailure.SignatureExpire
        AuthFailure.SignatureFailure AuthFailure.TokenFailure AuthFailure.UnauthorizedOperation
        DryRunOperation FailedOperation FailedOperation.SdkAppIdNotExist FailedOperation.TaskFinished
        FailedOperation.TaskNotExist InternalError InternalError.InternalError InvalidAction
        InvalidParameter InvalidParameter.BodyParamsError InvalidParameter.SdkAppId
        InvalidParameter.TaskId InvalidParameterValue InvalidRequest IpInBlacklist IpNotInWhitelist
        LimitExceeded MissingParameter NoSuchProduct NoSuchVersion RequestLimitExceeded
        RequestLimitExceeded.GlobalRegionUinLimitExceeded RequestLimitExceeded.IPLimitExceeded
        RequestLimitExceeded.UinLimitExceeded RequestSizeLimitExceeded ResourceInUse ResourceInsufficient
        ResourceNotFound ResourceUnavailable ResponseSizeLimitExceeded ServiceUnavailable
        UnauthorizedOperation UnknownParameter UnsupportedOperation UnsupportedProtocol UnsupportedRegion
        timeout unreachable malformed other`),
    },
  },
  tencentcloud_retries_total: {
    type: 'counter',
    labels: { reason: ['throttled', 'unreachable', 'timeout', 'failed', 'clock-skew', 'credentials'] },
  },
  tencentcloud_circuit_state: { type: 'gauge', labels: { state: ['closed', 'open', 'half-open'] } },
  tencentcloud_clock_offset_seconds: { type: 'gauge', labels: {} },
  ingest_gateway_quota_slots: { type: 'gauge', labels: {} },
  ingest_gateway_quota_slots_in_use: { type: 'gauge', labels: {} },
  ingest_gateway_quota_queue_length: { type: 'gauge', labels: {} },
  ingest_gateway_quota_queue_wait_seconds: {
    type: 'histogram',
    labels: { le: words('0.001 0.01 0.05 0.1 0.25 0.5 1 2.5 5 10 30 +Inf') },
  },
  ingest_gateway_ended_task_feed_connected: { type: 'gauge', labels: {} },
  ingest_gateway_quota_redis_up: { type: 'gauge', labels: {} },
  ingest_gateway_quota_redis_commands_total: {
    type: 'counter',
    labels: { command: ['acquire', 'heartbeat', 'join', 'reduce', 'release', 'renew'] },
  },
  ingest_gateway_quota_decisions_total: {
    type: 'counter',
    labels: { decision: ['granted', 'waited', 'rejected-quota', 'rejected-share', 'rejected-queue'] },
  },
  ingest_gateway_async_stops_pending: { type: 'gauge', labels: { caller: ['anonymous'] } },
  ingest_gateway_async_stops_oldest_age_seconds: { type: 'gauge', labels: {} },
  ingest_gateway_async_stops_total: {
    type: 'counter',
    labels: { caller: ['anonymous'], result: ['stopped', 'already-finished', 'failed', 'expired'] },
  },
  ingest_gateway_async_stop_duration_seconds: {
    type: 'histogram',
    labels: { le: words('0.1 0.5 1 5 15 60 300 900 3600 14400 86400 +Inf') },
  },
  ingest_gateway_async_stops_redis_durable: { type: 'gauge', labels: {} },
};
