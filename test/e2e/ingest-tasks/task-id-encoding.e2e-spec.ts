import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { send, stopTask } from '../../support/client.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true, quotaPerSecond: 1000 },
  { QUOTA_PER_SECOND: '1000' },
);

beforeEach(() => sandbox.clearReceivedRequests());

const SPECIAL_CHARACTERS = '-m97l2ZU7kOlV5cTRMoU6yoGp2nDYkzbJ13EC4K-4pycoZXVv+XVrNoUXQ8++8Z2PwUlAQ..';

// Each id only once, because the gateway caches ended tasks.
const usedIds = new Set<string>();

describe('a task id reaches the upstream unchanged', () => {
  it.each([
    ['a raw plus sign', 'a+b', 'a+b'],
    ['an encoded plus sign', 'a%2Bc', 'a+c'],
    ['an encoded slash', 'a%2Fb', 'a/b'],
    ['a raw equals sign', 'a==', 'a=='],
    ['an encoded equals sign', 'a%3D', 'a='],
    ['a leading hyphen', '-abc', '-abc'],
    ['a trailing dot', 'abc.', 'abc.'],
    ['two trailing dots', 'abc..', 'abc..'],
    ['only dots', '..', '..'],
    ['only encoded dots', '%2E%2E%2E', '...'],
    ['an example of the documentation', SPECIAL_CHARACTERS, SPECIAL_CHARACTERS],
    ['128 characters with many signs', 'Az0+-._'.repeat(18) + '+.', 'Az0+-._'.repeat(18) + '+.'],
    ['256 characters', 'x'.repeat(256), 'x'.repeat(256)],
    ['256 characters outside the BMP', '%F0%9F%8E%A5'.repeat(256), '🎥'.repeat(256)],
    ['non-ASCII', '%C3%A4%E4%B8%AD%F0%9F%8E%A5', 'ä中🎥'],
    ['a percent sign', '100%25', '100%'],
    ['text that looks encoded after decoding', 'a%252Fb', 'a%2Fb'],
    ['a question mark', 'a%3Fb', 'a?b'],
    ['a number sign', 'a%23b', 'a#b'],
    ['a semicolon', 'a;b', 'a;b'],
    ['quotes and angle brackets', '%22%3Cb%3E%27', '"<b>\''],
    ['a blank', 'a%20b', 'a b'],
    ['lower-case hexadecimal digits', 'b%2fc', 'b/c'],
    ['a name with a meaning in JavaScript', '__proto__', '__proto__'],
    ['a line separator', '%E2%80%A8', '\u2028'],
  ])('when it is %s', async (_, encodedId, taskId) => {
    usedIds.add(taskId);
    const { status, body } = await send(gateway.url, `/ingest-tasks/${encodedId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ taskId });
    expect(sandbox.receivedRequests().map((request) => request.taskId)).toEqual([taskId]);
  });

  it('when it is one of 300 random ids', async () => {
    const id = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 60 })
      .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
    await fc.assert(
      fc.asyncProperty(id, async (taskId) => {
        fc.pre(!usedIds.has(taskId));
        usedIds.add(taskId);
        sandbox.clearReceivedRequests();
        const { status } = await stopTask(gateway.url, taskId);
        expect(status).toBe(200);
        expect(sandbox.receivedRequests().map((request) => request.taskId)).toEqual([taskId]);
      }),
      { numRuns: 300, examples: [['__proto__']] },
    );
  });
});
