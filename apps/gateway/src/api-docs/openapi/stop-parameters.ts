import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import { MAX_WAIT_S } from '../../ingest-tasks/prefer.js';
import { TASK_ID } from '../../ingest-tasks/stop-request.js';
import { REQUEST_ID } from '../../http/request-id.js';
import type { DocumentConfig, Parameter } from './types.js';

/** What a stop is told, by the rules that the gateway checks and the defaults that it is configured with. */
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
        'The TaskId: opaque and case-sensitive, 1 to 256 characters once percent-decoded, no control characters. ' +
        'Write `/` as `%2F`; `+` stays `+`.',
      schema: { type: 'string', pattern: TASK_ID.source },
    },
    {
      name: 'sdkAppId',
      in: 'query',
      description: 'Whose task it is. Default: the SdkAppId that the gateway is configured with.',
      schema: { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    },
    {
      name: 'region',
      in: 'query',
      description: 'The region of the cloud to send the call to.',
      schema: { type: 'string', enum: [...STOP_STREAM_INGEST_REGIONS], default: defaultRegion },
    },
    {
      name: 'Prefer',
      in: 'header',
      description:
        `\`wait=<seconds>\`: how long the call may wait for a slot of the quota, at most ${MAX_WAIT_S} ` +
        '([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240)). What cannot be understood is ignored. ' +
        (defaultWaitMs === 0
          ? 'Without it the call does not wait.'
          : `Without it the call waits for up to ${defaultWaitMs / 1000} s.`),
      schema: { type: 'string' },
    },
    requestIdParameter(),
    {
      name: 'traceparent',
      in: 'header',
      description:
        'The trace that the call is part of ([W3C](https://www.w3.org/TR/trace-context/)); never sent to the cloud.',
      schema: { type: 'string' },
    },
  ];
}

/** Every route takes it. */
export function requestIdParameter(): Parameter {
  return {
    name: 'X-Request-Id',
    in: 'header',
    description:
      'An id of your own for this request: 1 to 128 visible ASCII characters; anything else is replaced. ' +
      'It is on the answer and in the log.',
    schema: { type: 'string', pattern: REQUEST_ID.source },
  };
}
