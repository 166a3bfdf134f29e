import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import { MAX_WAIT_S } from '../../ingest-tasks/prefer.js';
import { TASK_ID } from '../../ingest-tasks/stop-request.js';
import { REQUEST_ID } from '../../http/request-id.js';
import type { DocumentConfig, Parameter } from './types.js';

/** The parameters of a stop, with the patterns that the gateway checks and the configured defaults. */
export function stopParameters({
  tencentCloud: { defaultRegion },
  quota: { defaultWaitMs },
}: DocumentConfig): Parameter[] {
  return [
    {
      name: 'id',
      in: 'path',
      required: true,
      description:
        'The TaskId. It is opaque and case-sensitive, and has 1 to 256 characters after percent-decoding, none of them a ' +
        'control character. Write `/` as `%2F`. A `+` is a plus sign.',
      schema: { type: 'string', pattern: TASK_ID.source },
    },
    {
      name: 'sdkAppId',
      in: 'query',
      description:
        'The SdkAppId that the task belongs to. Default: the SdkAppId in the configuration of the gateway.',
      schema: { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    },
    {
      name: 'region',
      in: 'query',
      description: 'The region of the cloud that receives the call.',
      schema: { type: 'string', enum: [...STOP_STREAM_INGEST_REGIONS], default: defaultRegion },
    },
    {
      name: 'Prefer',
      in: 'header',
      description:
        `\`wait=<seconds>\`: how long the call may wait for a quota slot, at most ${MAX_WAIT_S} seconds ` +
        '([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240)). Invalid preferences are ignored. ' +
        (defaultWaitMs === 0
          ? 'By default, the call does not wait.'
          : `By default, the call waits for up to ${defaultWaitMs / 1000} s.`),
      schema: { type: 'string' },
    },
    requestIdParameter(),
    {
      name: 'traceparent',
      in: 'header',
      description:
        'The trace that the call belongs to ([W3C](https://www.w3.org/TR/trace-context/)). It is not sent to the cloud.',
      schema: { type: 'string' },
    },
  ];
}

/** The parameter of every route. */
export function requestIdParameter(): Parameter {
  return {
    name: 'X-Request-Id',
    in: 'header',
    description:
      'Your id for this request: 1 to 128 visible ASCII characters. The gateway replaces any other value. ' +
      'The response and the log entry contain it.',
    schema: { type: 'string', pattern: REQUEST_ID.source },
  };
}
