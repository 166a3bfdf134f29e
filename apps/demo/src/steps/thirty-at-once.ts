import { allSlotsFree } from '../all-slots-free.js';
import { setDistance, startTask } from '../control.js';
import { exchange, type Exchange } from '../exchange.js';
import { expectProblem } from '../problem.js';
import type { Stage } from '../stage.js';
import { expectEqual, expectThat } from '../surprise.js';
import type { Transcript } from '../transcript.js';

const TASKS = Array.from({ length: 30 }, (_, index) => `crowd-${index + 1}`);

// Far enough that no slot frees before the last call has come, however busy the machine is.
const ROUND_TRIP_MS = 1500;

export async function callThirtyTimesAtOnce(stage: Stage, transcript: Transcript): Promise<void> {
  const { gateway, over } = stage;
  transcript.chapter('30 calls at once');
  transcript.remark(
    `Each slot frees one second after its answer; the demo waits until all 20 are free, and moves the cloud ${ROUND_TRIP_MS} ms away.`,
  );
  for (const task of TASKS) await startTask(stage, task);
  await setDistance(stage, ROUND_TRIP_MS);
  await allSlotsFree(stage);

  const calls = TASKS.map((task) => exchange('DELETE', gateway, `/ingest-tasks/${task}`, { signal: over }));
  const answers = await Promise.all(calls);
  await setDistance(stage, 0);
  const stopped = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);

  transcript.request(`DELETE /ingest-tasks/${TASKS[0]} … ${TASKS.at(-1)}`);
  transcript.lines([tally(stopped, '200 OK'), tally(refused, '429 Too Many Requests')]);
  expectEqual('how many were stopped', stopped.length, 20);
  expectEqual('how many were refused', refused.length, 10);
  for (const answer of refused) {
    expectProblem(answer, 429, 'quota-exhausted', 'not-sent');
    const retryAfter = answer.headers.get('retry-after') ?? '';
    expectThat('Retry-After is whole seconds, at least 1', /^[1-9]\d*$/.test(retryAfter));
  }

  transcript.remark('One of the ten in full:');
  transcript.exchange(refused[0]!);
  transcript.remark(
    'The cloud takes 20 per second, so 20 went through at once. The others were told when to come back, and cost nothing.',
  );
}

function tally(answers: readonly Exchange[], status: string): string {
  const slowest = Math.max(0, ...answers.map(({ tookMs }) => tookMs));
  return `← ${answers.length} × ${status.padEnd(21)}  the last after ${Math.round(slowest)} ms`;
}
