import http from 'node:http';
import https from 'node:https';
import axios, { type AxiosInstance } from 'axios';
import { canonicalHead, SigningKeyCache, signRequest } from '#libs/tc3';
import { keyOf } from './gateway.js';
import type { SandboxAddress } from './servers/sandbox.js';

let number = 0;

/** The times of the calls that acquired a slot. */
export function admitted(calls: readonly (number | undefined)[]): number[] {
  return calls.filter((ms) => ms !== undefined);
}

/** Calls the gateway, or the upstream directly, with axios over connections kept alive. */
export class AxiosCaller {
  readonly #axios: AxiosInstance;
  readonly #agents: readonly [http.Agent, https.Agent];
  readonly #keys = new SigningKeyCache();

  constructor(private readonly cloud: SandboxAddress) {
    this.#agents = [new http.Agent({ keepAlive: true }), new https.Agent({ keepAlive: true, ca: cloud.ca })];
    this.#axios = axios.create({
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      proxy: false,
      validateStatus: () => true,
    });
  }

  /** @returns milliseconds of a stop through the gateway @throws unless it succeeds */
  async throughGateway(url: string, caller = 0): Promise<number> {
    const tookMs = await this.ifAdmitted(url, caller);
    if (tookMs === undefined) throw new Error('the gateway responded with 429');
    return tookMs;
  }

  /** @returns milliseconds, or undefined for a call without a slot @throws for any other status than 200 and 429 */
  async ifAdmitted(url: string, caller = 0): Promise<number | undefined> {
    number += 1;
    const startedAt = performance.now();
    const { status } = await this.#axios.delete(`${url}/ingest-tasks/task-${number}`, {
      headers: { authorization: `Bearer ${keyOf(caller)}` },
    });
    const tookMs = performance.now() - startedAt;
    if (status === 429) return undefined;
    if (status !== 200) throw new Error(`the gateway responded with ${status}`);
    return tookMs;
  }

  /** @returns milliseconds of a stop without a gateway, signature included @throws unless it succeeds */
  async directly(): Promise<number> {
    number += 1;
    const { httpsUrl } = this.cloud;
    const startedAt = performance.now();
    const body = JSON.stringify({ SdkAppId: 1400000001, TaskId: `task-${number}` });
    const { host } = new URL(httpsUrl);
    const contentType = 'application/json';
    const timestamp = Math.floor(Date.now() / 1000);
    const signable = { head: canonicalHead(host, contentType), payload: body, service: 'trtc' };
    const { data } = await this.#axios.post<{ Response: { Error?: { Code: string } } }>(httpsUrl, body, {
      headers: {
        'content-type': contentType,
        'x-tc-action': 'StopStreamIngest',
        'x-tc-version': '2019-07-22',
        'x-tc-region': 'ap-singapore',
        'x-tc-timestamp': String(timestamp),
        authorization: signRequest(signable, this.cloud, timestamp, this.#keys),
      },
    });
    if (data.Response.Error) throw new Error(`the sandbox responded with ${data.Response.Error.Code}`);
    return performance.now() - startedAt;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }
}
