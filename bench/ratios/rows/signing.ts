import { createHmac, hash } from 'node:crypto';
import sdk from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js';
import { canonicalHead, type SignableRequest, SigningKeyCache, signRequest } from '#libs/tc3';
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
const ours = (): string => signRequest(REQUEST, CREDENTIALS, TIMESTAMP, keys);
const theirs = (): string =>
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

// As long as the texts that are hashed for a signature are.
const CANONICAL = 'c'.repeat(182);
const TO_SIGN = 's'.repeat(124);
const { key } = keys.get(CREDENTIALS, 'trtc', TIMESTAMP);
/** What no signer can do without: two hashes and an HMAC with a key at hand. */
const floor = (): number =>
  hash('sha256', PAYLOAD).length +
  hash('sha256', CANONICAL).length +
  createHmac('sha256', key).update(TO_SIGN).digest('hex').length;

export const signing: Row = {
  name: 'signing',
  work: 'one signature over the same input, in one process',
  async measure({ quick }) {
    if (ours() !== theirs()) throw new Error('the signatures differ');
    const signers = [ours, theirs, floor];
    const perSecond: number[][] = [[], [], []];
    const rounds = quick ? 7 : 31;
    for (const sign of signers) speed(sign, 500);
    for (let round = 0; round < rounds; round += 1)
      for (const [place, sign] of signers.entries()) perSecond[place]!.push(speed(sign, 80));
    const [own, sdkSigner, hashes] = perSecond as [number[], number[], number[]];
    const gateway = { name: 'gateway', values: own };
    return [
      {
        what: 'signatures per second',
        ours: gateway,
        theirs: { name: "the SDK's signer", values: sdkSigner },
        target: { atLeast: 4 },
      },
      {
        what: 'signatures per second',
        ours: gateway,
        theirs: { name: 'the floor: the hash calls alone', values: hashes },
        target: { atLeast: 0.8 },
      },
    ];
  },
};

/** How often a second it runs, in so many milliseconds. */
function speed(sign: () => unknown, ms: number): number {
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < ms) for (let n = 0; n < 100; n += 1, count += 1) sign();
  return (count * 1000) / (performance.now() - startedAt);
}
