import { createHmac, hash } from 'node:crypto';
import sdk from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js';
import { canonicalHead, type SignableRequest, signRequest, SigningKeyCache } from '#libs/tc3';
import type { Row } from '../row.js';

const CREDENTIALS = { secretId: `AKID${'x'.repeat(32)}`, secretKey: 'y'.repeat(32) };
const HOST = 'trtc.intl.tencentcloudapi.com';
const TIMESTAMP = 1_790_000_000;
const BODY = { SdkAppId: 1400000001, TaskId: 'a-task-of-usual-length' };
const PAYLOAD = JSON.stringify(BODY);
const REQUEST: SignableRequest = {
  head: canonicalHead(HOST, 'application/json'),
  payload: PAYLOAD,
  service: 'trtc',
};

const keys = new SigningKeyCache();
const gatewaySign = (): string => signRequest(REQUEST, CREDENTIALS, TIMESTAMP, keys);
const sdkSign = (): string =>
  sdk.default.sign3({
    method: 'POST',
    url: `https://${HOST}/`,
    payload: BODY,
    timestamp: TIMESTAMP,
    service: 'trtc',
    secretId: CREDENTIALS.secretId,
    secretKey: CREDENTIALS.secretKey,
    multipart: false,
    boundary: '',
    headers: { 'Content-Type': 'application/json' },
  });

// As long as the strings that a signature hashes.
const CANONICAL = 'c'.repeat(182);
const TO_SIGN = 's'.repeat(124);
const { key } = keys.get(CREDENTIALS, 'trtc', TIMESTAMP);
/** The minimum of any signer: two hashes, and one HMAC with a cached key. */
const minimum = (): number =>
  hash('sha256', PAYLOAD).length +
  hash('sha256', CANONICAL).length +
  createHmac('sha256', key).update(TO_SIGN).digest('hex').length;

export const signing: Row = {
  name: 'signing',
  workload: 'one signature over the same input, in one process',
  async measure({ quick }) {
    if (gatewaySign() !== sdkSign()) throw new Error('the signatures differ');
    const signers = [gatewaySign, sdkSign, minimum];
    const perSecond: number[][] = [[], [], []];
    const rounds = quick ? 7 : 31;
    for (const sign of signers) callsPerSecond(sign, 500);
    for (let round = 0; round < rounds; round += 1)
      for (const [index, sign] of signers.entries()) perSecond[index]!.push(callsPerSecond(sign, 80));
    const [own, sdkSigner, hashes] = perSecond as [number[], number[], number[]];
    const gateway = { name: 'gateway', values: own };
    return [
      {
        metric: 'signatures per second',
        measured: gateway,
        baseline: { name: "the SDK's signer", values: sdkSigner },
        target: { atLeast: 4 },
      },
      {
        metric: 'signatures per second',
        measured: gateway,
        baseline: { name: 'the hash calls alone', values: hashes },
        target: { atLeast: 0.8 },
      },
    ];
  },
};

/** Calls a function for a while. @returns calls per second */
function callsPerSecond(sign: () => unknown, ms: number): number {
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < ms) for (let n = 0; n < 100; n += 1, count += 1) sign();
  return (count * 1000) / (performance.now() - startedAt);
}
