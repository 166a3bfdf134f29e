import type { IncomingMessage } from 'node:http';

/** A request as received: the signature covers exactly these bytes. */
export interface CloudRequest {
  readonly method: string;
  /** Path and query, unparsed. */
  readonly target: string;
  /** Names in lower case, values untouched. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Tencent's limit with TC3-HMAC-SHA256: 10 MB. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Reads the whole request. Bytes over the limit are discarded; the body is then one byte longer than the limit. */
export async function readRequest(message: IncomingMessage): Promise<CloudRequest> {
  const chunks: Buffer[] = [];
  let remaining = MAX_BODY_BYTES + 1;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    if (remaining <= 0) continue;
    chunks.push(chunk.subarray(0, remaining));
    remaining -= chunk.length;
  }
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    headers: singleValues(message),
    body: Buffer.concat(chunks),
  };
}

function singleValues(message: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(message.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  );
}
