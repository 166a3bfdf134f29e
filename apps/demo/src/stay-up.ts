import { once } from 'node:events';
import { startTask } from './control.js';
import { SDK_APP_ID, type Stage } from './stage.js';
import type { Transcript } from './transcript.js';

const TASK = 'yours-1';

/** Leaves the two programs to whoever reads this, until Ctrl-C. @throws the reason why it is over */
export async function stayUp(stage: Stage, transcript: Transcript): Promise<void> {
  const { gateway, cloud, control, over } = stage;
  await startTask(stage, TASK);
  transcript.title('Both stay up until Ctrl-C; it is your turn');
  transcript.facts([
    ['gateway', gateway, 'DELETE /ingest-tasks/{id}, /metrics, /livez, /readyz'],
    ['sandbox', cloud, 'what the gateway calls'],
    ['its remote control', control, '/state, /arrivals, /tasks, /faults, /delays, /settings'],
  ]);
  transcript.remark(`Stop the task ${TASK}, which runs:`);
  transcript.lines([`curl -i -X DELETE ${gateway}/ingest-tasks/${TASK}`]);
  transcript.remark('Start another one:');
  transcript.lines([
    `curl -X PUT ${control}/tasks/yours-2 -H 'content-type: application/json' \\`,
    `  -d '{"sdkAppId":${SDK_APP_ID},"status":"running"}'`,
  ]);
  transcript.remark('Let the cloud fail once, then stop something:');
  transcript.lines([
    `curl -X PUT ${control}/faults -H 'content-type: application/json' \\`,
    `  -d '[{"fault":{"kind":"error","code":"InternalError"},"times":1}]'`,
  ]);
  transcript.remark('See what arrived, and what the gateway counted:');
  transcript.lines([`curl ${control}/state`, `curl ${gateway}/metrics`]);
  if (!over.aborted) await once(over, 'abort');
  over.throwIfAborted();
}
