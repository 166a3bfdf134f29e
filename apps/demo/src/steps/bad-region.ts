import { exchange } from '../exchange.js';
import { expectProblem } from '../problem.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { TASK } from './stop-task.js';

export async function askForBadRegion({ gateway, over }: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('A region that there is not');
  const target = `/ingest-tasks/${TASK}?region=eu-atlantis`;
  const answer = await exchange('DELETE', gateway, target, { signal: over });
  transcript.exchange(answer);
  expectProblem(answer, 400, 'invalid-request', 'not-sent');
  transcript.remark(
    'outcome says it: nothing left the gateway, and no slot was taken. errors lists every fault.',
  );
}
