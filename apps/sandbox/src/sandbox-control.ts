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
  /** Rules that have times left, with those times. */
  readonly faults: readonly FaultRule[];
}

/** What can be asked of a running sandbox, in process as well as through its control API. */
export interface SandboxControl {
  state(): SandboxState;
  /** The latest 10,000 requests, oldest first. */
  receivedRequests(): ReceivedRequest[];
  /** Forgets the recorded requests; the statistics stay. */
  clearReceivedRequests(): void;
  tasks(): Task[];
  /** Adds or replaces one. */
  putTask(task: Task): void;
  /** Changes the ways given. @throws RangeError when a span ends before it begins */
  setDelays(delays: Partial<Delays>): void;
  /** Replaces all rules. */
  setFaults(rules: readonly FaultRule[]): void;
  /** Changes the settings given. */
  setSettings(settings: Partial<Settings>): void;
}
