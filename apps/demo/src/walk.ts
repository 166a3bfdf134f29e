import { allSlotsFree } from './all-slots-free.js';
import type { Stage } from './stage.js';
import { askForBadRegion } from './steps/bad-region.js';
import { showMetrics } from './steps/metrics-that-matter.js';
import { stopAgain } from './steps/stop-again.js';
import { stopTask } from './steps/stop-task.js';
import { callThirtyTimesAtOnce } from './steps/thirty-at-once.js';
import { stopUnknownTask } from './steps/unknown-task.js';
import { showWhatArrived } from './steps/what-arrived.js';
import type { Transcript } from './transcript.js';

/** One scene: does something, shows it, and throws a Surprise when it is not what was promised. */
export type Step = (stage: Stage, transcript: Transcript) => Promise<void>;

const STEPS: readonly Step[] = [
  stopTask,
  stopAgain,
  stopUnknownTask,
  askForBadRegion,
  callThirtyTimesAtOnce,
  showWhatArrived,
  showMetrics,
];

/** The main job from beginning to end. */
export async function walk(stage: Stage, transcript: Transcript): Promise<void> {
  transcript.title('The ingest gateway and a stand-in for Tencent Cloud, each in a process of its own');
  transcript.facts([
    ['gateway', stage.gateway, 'holds the keys, signs, keeps to 20 calls per second'],
    ['sandbox', stage.cloud, 'verifies every signature, refuses the 21st call in any second'],
  ]);
  transcript.remark(
    'The gateway has just started and lends no slot for a moment: another one may have used all 20 right before it.',
  );
  await allSlotsFree(stage);
  for (const step of STEPS) await step(stage, transcript);
  transcript.success('Every answer was the one promised.');
}
