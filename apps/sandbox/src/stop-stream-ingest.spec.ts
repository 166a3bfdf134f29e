import { beforeEach, describe, expect, it } from '@jest/globals';
import { stopStreamIngest } from './stop-stream-ingest.js';
import { Tasks } from './tasks.js';

const RULES = { sdkAppIds: [1, 2], acceptUnknownTasks: false };

describe('stopStreamIngest', () => {
  let tasks: Tasks;

  beforeEach(() => {
    tasks = new Tasks();
    tasks.put({ sdkAppId: 1, taskId: 'running', status: 'running' });
    tasks.put({ sdkAppId: 1, taskId: 'finished', status: 'finished' });
  });

  function stop(body: unknown, rules = RULES): () => void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return () => stopStreamIngest(Buffer.from(text), tasks, rules);
  }

  it('finishes a running task', () => {
    stop({ SdkAppId: 1, TaskId: 'running' })();
    expect(tasks.find(1, 'running')?.status).toBe('finished');
  });

  it.each([
    ['InvalidParameter.BodyParamsError', 'not JSON'],
    ['InvalidParameter.BodyParamsError', ''],
    ['InvalidParameter.BodyParamsError', []],
    ['InvalidParameter.BodyParamsError', null],
    ['UnknownParameter', { SdkAppId: 1, TaskId: 'running', Force: true }],
    ['MissingParameter', { TaskId: 'running' }],
    ['MissingParameter', { SdkAppId: 1 }],
    ['InvalidParameter.SdkAppId', { SdkAppId: 3, TaskId: 'running' }],
    ['InvalidParameter.SdkAppId', { SdkAppId: '1', TaskId: 'running' }],
    ['InvalidParameter.TaskId', { SdkAppId: 1, TaskId: 7 }],
    ['InvalidParameter.TaskId', { SdkAppId: 1, TaskId: '' }],
    ['InvalidParameter.TaskId', { SdkAppId: 1, TaskId: 'unknown' }],
    ['InvalidParameter.TaskId', { SdkAppId: 1, TaskId: 'RUNNING' }],
    ['InvalidParameter.TaskId', { SdkAppId: 2, TaskId: 'running' }],
    ['FailedOperation.TaskFinished', { SdkAppId: 1, TaskId: 'finished' }],
  ])('throws %s for %j and stops nothing', (code, body) => {
    expect(stop(body)).toThrow(expect.objectContaining({ code }));
    expect(tasks.find(1, 'running')?.status).toBe('running');
  });

  it('stops an unknown task once when acceptUnknownTasks is true', () => {
    const stopUnknown = stop({ SdkAppId: 1, TaskId: 'unknown' }, { ...RULES, acceptUnknownTasks: true });
    stopUnknown();
    expect(stopUnknown).toThrow(expect.objectContaining({ code: 'FailedOperation.TaskFinished' }));
  });
});
