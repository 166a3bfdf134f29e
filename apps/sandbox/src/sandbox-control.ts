import type { ReceivedRequest } from './received-requests.js';
import type { Delays } from './delays.js';
import type { FaultRule } from './faults.js';
import type { Settings } from './settings.js';
import type { Statistics } from './statistics.js';
import type { Task } from './tasks.js';

export interface SandboxState {
  readonly endpoints: { readonly http: string; readonly https: string; readonly control: string };
  readonly statistics: Statistics;
  readonly settings: Settings;
  readonly delays: Delays;
  /** Rules that have uses left, with the remaining number. */
  readonly faults: readonly FaultRule[];
}

/** Operations on a running sandbox, in process and through its control API. */
export interface SandboxControl {
  state(): SandboxState;
  /** The latest 10,000 requests, oldest first. */
  receivedRequests(): ReceivedRequest[];
  /** Deletes the recorded requests; the statistics stay. */
  clearReceivedRequests(): void;
  tasks(): Task[];
  /** Adds or replaces one task. */
  putTask(task: Task): void;
  /** Changes the given directions. @throws RangeError when minMs is greater than maxMs */
  setDelays(delays: Partial<Delays>): void;
  /** Replaces all rules. */
  setFaults(rules: readonly FaultRule[]): void;
  /** Changes the given settings. */
  setSettings(settings: Partial<Settings>): void;
}
