import { ApiError } from './api-error.js';
import type { Task, Tasks } from './tasks.js';

/** Which tasks can be stopped. */
export interface StopRules {
  readonly sdkAppIds: readonly number[];
  /** Unknown tasks count as running. */
  readonly acceptUnknownTasks: boolean;
}

/**
 * Performs the action: a running task becomes finished.
 *
 * @throws {@link ApiError} `InvalidParameter.*`, `UnknownParameter`, `MissingParameter`, `FailedOperation.TaskFinished`
 */
export function stopStreamIngest(
  body: Buffer,
  tasks: Tasks,
  { sdkAppIds, acceptUnknownTasks }: StopRules,
): void {
  const { SdkAppId: sdkAppId, TaskId: taskId } = parseParameters(body);

  if (typeof sdkAppId !== 'number' || !sdkAppIds.includes(sdkAppId)) {
    throw new ApiError('InvalidParameter.SdkAppId', `SdkAppId ${JSON.stringify(sdkAppId)} is incorrect.`);
  }
  if (typeof taskId !== 'string' || taskId === '') {
    throw new ApiError('InvalidParameter.TaskId', `TaskId must be a string, not ${JSON.stringify(taskId)}.`);
  }

  const task: Task | undefined =
    tasks.find(sdkAppId, taskId) ??
    (acceptUnknownTasks ? { sdkAppId, taskId, status: 'running' } : undefined);
  if (!task) throw new ApiError('InvalidParameter.TaskId', `Task ${taskId} was not found.`);
  if (task.status === 'finished') {
    throw new ApiError('FailedOperation.TaskFinished', `Task ${taskId} has already ended.`);
  }
  tasks.put({ ...task, status: 'finished' });
}

function parseParameters(body: Buffer): Partial<Record<string, unknown>> {
  const parameters = parseJsonObject(body);
  if (!parameters) {
    throw new ApiError('InvalidParameter.BodyParamsError', 'The body is not a JSON object.');
  }
  for (const name of Object.keys(parameters)) {
    if (name !== 'SdkAppId' && name !== 'TaskId') {
      throw new ApiError('UnknownParameter', `The parameter \`${name}\` is not recognized.`);
    }
  }
  for (const name of ['SdkAppId', 'TaskId']) {
    if (parameters[name] === undefined) {
      throw new ApiError('MissingParameter', `The request is missing a required parameter \`${name}\`.`);
    }
  }
  return parameters;
}

/** Returns the body as a JSON object, or undefined when it is not one. */
export function parseJsonObject(body: Buffer): Partial<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? { ...parsed }
      : undefined;
  } catch {
    return undefined;
  }
}
