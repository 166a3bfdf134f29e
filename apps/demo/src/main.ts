import { Interrupted, interruption } from './interruption.js';
import { stayUp } from './stay-up.js';
import { raiseStage, type Stage } from './stage.js';
import { Transcript } from './transcript.js';
import { walk } from './walk.js';

const KEEP = '--keep';

const transcript = new Transcript(process.stdout);
const interrupted = interruption();
let stage: Stage | undefined;

try {
  const keep = wantsToKeep(process.argv.slice(2));
  stage = await raiseStage(interrupted);
  await walk(stage, transcript);
  if (keep) await stayUp(stage, transcript);
} catch (error) {
  // Whoever pressed Ctrl-C knows why it ended.
  const reason: unknown = interrupted.aborted ? interrupted.reason : error;
  if (reason instanceof Interrupted) process.exitCode = reason.exitCode;
  else {
    transcript.failure(reason instanceof Error ? reason.message : String(reason));
    process.exitCode = 1;
  }
} finally {
  await stage?.lower();
}
process.exit();

function wantsToKeep(options: readonly string[]): boolean {
  const unknown = options.find((option) => option !== KEEP);
  if (unknown) throw new Error(`unknown option ${unknown}; the demo knows ${KEEP} and no other`);
  return options.includes(KEEP);
}
