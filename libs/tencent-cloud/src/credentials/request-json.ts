import axios, { type AxiosRequestConfig } from 'axios';
import { type AgentOptions, createAgent } from '../create-agent.js';
import { InvalidCredentialsError } from './credentials-provider.js';

const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * Sends a request to an issuer of credentials. It follows no redirect, uses no proxy of the environment, and limits the
 * size of the response.
 *
 * @param issuer names the issuer in messages
 * @returns the members of the JSON object of the response, and its Date header
 * @throws InvalidCredentialsError if the status is not 200
 * @throws AxiosError, which contains the request: use only its `code`
 */
export async function requestJson(
  issuer: string,
  url: URL,
  connection: AgentOptions,
  config: AxiosRequestConfig,
): Promise<{ body: Record<string, unknown>; date: string | undefined }> {
  const agent = createAgent(url, connection);
  const { status, data, headers } = await axios.request<unknown>({
    ...config,
    url: url.href,
    httpAgent: agent,
    httpsAgent: agent,
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
