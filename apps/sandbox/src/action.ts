import type { CloudRequest } from './cloud-request.js';
import { ApiError } from './api-error.js';

export const STOP_STREAM_INGEST = 'StopStreamIngest';

const VERSION = '2019-07-22';
const REGIONS = new Set(['ap-bangkok', 'ap-jakarta', 'ap-mumbai', 'ap-singapore']);

/** @throws {@link ApiError} `MissingParameter`, `InvalidAction`, `NoSuchVersion`, `UnsupportedRegion` */
export function checkAction({ headers }: CloudRequest): void {
  const action = required(headers, 'X-TC-Action');
  const version = required(headers, 'X-TC-Version');
  const region = required(headers, 'X-TC-Region');

  if (action !== STOP_STREAM_INGEST) {
    throw new ApiError('InvalidAction', `The action "${action}" does not exist.`);
  }
  if (version !== VERSION) {
    throw new ApiError('NoSuchVersion', `The version "${version}" of this API does not exist.`);
  }
  if (!REGIONS.has(region)) {
    throw new ApiError('UnsupportedRegion', `The region "${region}" does not support ${action}.`);
  }
}

function required(headers: CloudRequest['headers'], name: string): string {
  const value = headers[name.toLowerCase()];
  if (!value) throw new ApiError('MissingParameter', `The request header \`${name}\` is missing.`);
  return value;
}
