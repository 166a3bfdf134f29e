import { exchange } from '../exchange.js';
import { expectProblem } from '../problem.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';

export async function stopUnknownTask({ gateway, over }: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('A task that nobody knows');
  const answer = await exchange('DELETE', gateway, '/ingest-tasks/no-such-task', { signal: over });
  transcript.exchange(answer);
  expectProblem(answer, 404, 'task-not-found', 'not-stopped');
  transcript.remark(
    'The cloud answers HTTP 200 even to this; its body decides. Its code and RequestId are passed on, its free text is not.',
  );
}
