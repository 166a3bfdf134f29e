import { exchange } from '../exchange.js';
import type { Stage } from '../stage.js';
import { expectEqual } from '../surprise.js';
import type { Transcript } from '../transcript.js';
import { TASK } from './stop-task.js';

export async function stopAgain({ gateway, over }: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('Stop it again');
  const answer = await exchange('DELETE', gateway, `/ingest-tasks/${TASK}`, { signal: over });
  transcript.exchange(answer);
  expectEqual('status', answer.status, 200);
  expectEqual('its state', (JSON.parse(answer.body) as { status: unknown }).status, 'already-finished');
  transcript.remark(
    'The state that the caller wanted holds, so a repeated DELETE succeeds. The gateway remembers that the task has ended: the cloud is not asked again, and no slot is taken.',
  );
}
