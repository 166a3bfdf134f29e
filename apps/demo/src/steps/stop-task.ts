import { startTask } from '../control.js';
import { exchange } from '../exchange.js';
import { SDK_APP_ID, type Stage } from '../stage.js';
import { expectEqual, expectThat } from '../surprise.js';
import type { Transcript } from '../transcript.js';

export const TASK = 'demo-1';

export async function stopTask(stage: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('Stop a task');
  await startTask(stage, TASK);
  const answer = await exchange('DELETE', stage.gateway, `/ingest-tasks/${TASK}`, { signal: stage.over });
  transcript.exchange(answer);
  expectEqual('status', answer.status, 200);
  const { requestId, ...body } = JSON.parse(answer.body) as Record<string, unknown>;
  expectEqual('body', body, {
    taskId: TASK,
    sdkAppId: SDK_APP_ID,
    region: 'ap-singapore',
    status: 'stopped',
  });
  expectThat('the body has the requestId of the cloud', typeof requestId === 'string' && requestId !== '');
  transcript.remark(
    "The caller showed no key of Tencent's and signed nothing. requestId is the cloud's own, by which Tencent finds the call; one of 20 slots is taken, as RateLimit says.",
  );
}
