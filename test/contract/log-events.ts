import { words } from '../support/words.js';

export interface ContractLogEvent {
  readonly level: 'info' | 'warn' | 'error' | 'fatal';
  /** The fields of every entry of this event, besides `level`, `time`, `event` and `msg`. */
  readonly required: readonly string[];
  /** The additional fields that an entry may have. */
  readonly optional?: readonly string[];
}

/** Every log event of the gateway with its exact fields. docs/logs.md explains them. */
export const LOG_EVENTS: Readonly<Record<string, ContractLogEvent>> = {
  'stop-completed': {
    level: 'info',
    required: words('requestId caller result outcome status attemptCount waitMs upstreamMs durationMs'),
    optional: words(
      'traceId address taskId sdkAppId region stopId coalesced upstreamCode upstreamRequestId reason attempts clientDisconnected',
    ),
  },
  'async-stop-finished': {
    level: 'info',
    required: words('stopId caller taskId sdkAppId region result attempts durationMs'),
    optional: words('code upstreamCode upstreamRequestId'),
  },
  'async-stop-postponed': {
    level: 'info',
    required: words('stopId caller code attempts delayMs'),
    optional: words('type error stack'),
  },
  'quota-redis-evicts-keys': { level: 'warn', required: ['evictionPolicy'] },
  'async-stops-redis-durable': { level: 'info', required: ['appendOnly', 'evictionPolicy'] },
  'async-stops-redis-not-durable': { level: 'warn', required: ['appendOnly', 'evictionPolicy'] },
  'server-started': {
    level: 'info',
    required: words('url endpoint region quotaPerSecond store callers'),
    optional: ['traces'],
  },
  'shutdown-started': { level: 'info', required: ['signal', 'graceMs'] },
  'shutdown-completed': { level: 'info', required: [] },
  'shutdown-timeout': { level: 'error', required: ['inFlight'] },
  'uncaught-exception': { level: 'fatal', required: ['kind', 'type'], optional: ['error', 'stack'] },
  'unhandled-exception': { level: 'error', required: ['requestId', 'type'], optional: ['error', 'stack'] },
  'request-malformed': {
    level: 'info',
    required: ['requestId', 'status', 'code', 'reason'],
    optional: ['address'],
  },
  'requests-sampled': { level: 'info', required: ['count'], optional: ['caller', 'address'] },
  'log-lines-dropped': { level: 'warn', required: ['count'] },
  'callers-reloaded': { level: 'info', required: ['callers'] },
  'callers-reload-failed': { level: 'error', required: ['errors'] },
  'credentials-reloaded': { level: 'info', required: [], optional: ['expireAt'] },
  'credentials-reload-failed': { level: 'error', required: ['reason'] },
  'circuit-state-changed': { level: 'warn', required: ['state'] },
  'clock-skew-corrected': { level: 'warn', required: ['offsetMs'] },
  'quota-capacity-reduced': { level: 'warn', required: ['slots'] },
  'trace-export-failed': { level: 'warn', required: ['reason'] },
  'trace-export-recovered': { level: 'info', required: [] },
  'ended-task-feed-invalid': { level: 'warn', required: ['entries'] },
  'quota-redis-connected': { level: 'info', required: [] },
  'quota-redis-disconnected': { level: 'warn', required: ['reason', 'fallbackSlots'] },
};

/**
 * Compares a log entry with the table.
 *
 * @throws Error that shows the entry
 */
export function assertLogEntry(entry: Record<string, unknown>): void {
  // Entries of the framework have `context` in place of `event`.
  const event =
    'event' in entry ? LOG_EVENTS[String(entry['event'])] : { required: [], level: entry['level'] };
  const required = [
    'level',
    'time',
    'msg',
    'event' in entry ? 'event' : 'context',
    ...(event?.required ?? []),
  ];
  const known = new Set([...required, ...(event && 'optional' in event ? event.optional : [])]);
  const isAsInContract =
    entry['level'] === event?.level &&
    required.every((field) => field in entry) &&
    Object.keys(entry).every((field) => known.has(field));
  if (!isAsInContract) throw new Error(`This log entry is not as in LOG_EVENTS: ${JSON.stringify(entry)}`);
}
