export type TaskStatus = 'running' | 'finished';

export interface Task {
  readonly sdkAppId: number;
  readonly taskId: string;
  readonly status: TaskStatus;
}

/** The existing relay tasks, by SdkAppId and TaskId. */
export class Tasks {
  readonly #tasks = new Map<string, Task>();

  put(task: Task): void {
    this.#tasks.set(key(task), task);
  }

  find(sdkAppId: number, taskId: string): Task | undefined {
    return this.#tasks.get(key({ sdkAppId, taskId }));
  }

  list(): Task[] {
    return [...this.#tasks.values()];
  }
}

function key({ sdkAppId, taskId }: Pick<Task, 'sdkAppId' | 'taskId'>): string {
  return `${sdkAppId}/${taskId}`;
}
