import { exchange } from './exchange.js';
import { SDK_APP_ID, type Stage } from './stage.js';
import { expectEqual } from './surprise.js';

/** Puts a running task into the sandbox. */
export async function startTask(stage: Stage, taskId: string): Promise<void> {
  await put(stage, `/tasks/${taskId}`, { sdkAppId: SDK_APP_ID, status: 'running' });
}

/** Makes the sandbox answer like a cloud that is so far away. */
export async function setDistance(stage: Stage, roundTripMs: number): Promise<void> {
  const oneWay = { minMs: roundTripMs / 2, maxMs: roundTripMs / 2 };
  await put(stage, '/delays', { request: oneWay, answer: oneWay });
}

async function put({ control, over }: Stage, target: string, json: unknown): Promise<void> {
  const { status } = await exchange('PUT', control, target, { json, signal: over });
  expectEqual(`status of the sandbox's PUT ${target}`, status, 204);
}
