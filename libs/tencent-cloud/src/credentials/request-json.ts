import http from 'node:http';
import https from 'node:https';
import axios, { type AxiosRequestConfig } from 'axios';
import { divideConnectTime } from '../connect-options.js';
import { InvalidCredentialsError } from './credentials-provider.js';

const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * Sends a request to an issuer of credentials. It follows no redirect, uses no proxy of the environment, and limits the
 * size of the response.
 *
 * @param issuer names the issuer in messages
 * @param connectTimeoutMs the time that is divided among the addresses of the issuer, in milliseconds
 * @returns the members of the JSON object of the response, and its Date header
 * @throws InvalidCredentialsError if the status is not 200
 * @throws AxiosError, which contains the request: use only its `code`
 */
export async function requestJson(
  issuer: string,
  connectTimeoutMs: number,
  config: AxiosRequestConfig,
): Promise<{ body: Record<string, unknown>; date: string | undefined }> {
  const { status, data, headers } = await axios.request<unknown>({
    ...config,
    httpAgent: divideConnectTime(new http.Agent(), connectTimeoutMs),
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect.
    httpsAgent: divideConnectTime(new https.Agent({ rejectUnauthorized: true }), connectTimeoutMs),
    proxy: false,
    maxRedirects: 0,
    maxContentLength: MAX_RESPONSE_BYTES,
    validateStatus: () => true,
  });
  if (status !== 200) throw new InvalidCredentialsError(`${issuer} returned HTTP ${status}`);
  const { date } = headers;
  return { body: toObject(data), date: typeof date === 'string' ? date : undefined };
}

/** Returns the members of an object; none for another value. */
export function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
