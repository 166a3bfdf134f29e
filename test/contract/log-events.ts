export interface ContractLogEvent {
  readonly level: 'info' | 'warn' | 'error' | 'fatal';
  /** The fields of every entry of this event, besides `level`, `time`, `event` and `msg`. */
  readonly required: readonly string[];
  /** The fields that an entry may have in addition. */
  readonly optional?: readonly string[];
}

/** Every log event of the gateway with its exact fields. docs/logs.md says what they mean. */
export const LOG_EVENTS: Readonly<Record<string, ContractLogEvent>> = {
  stop: {
    level: 'info',
    required: [
      'requestId',
      'caller',
      'result',
      'outcome',
      'status',
      'attempts',
      'waitMs',
      'upstreamMs',
      'durationMs',
    ],
    optional: [
      'traceId',
      'address',
      'taskId',
      'sdkAppId',
      'region',
      'coalesced',
      'upstreamCode',
      'upstreamRequestId',
      'reason',
      'course',
      'callerLeft',
    ],
  },
  listening: {
    level: 'info',
    required: ['url', 'endpoint', 'region', 'quotaPerSecond', 'store', 'callers'],
    optional: ['traces'],
  },
  'shutting-down': { level: 'info', required: ['signal', 'graceMs'] },
  'shut-down': { level: 'info', required: [] },
  'cut-off': { level: 'error', required: ['unfinished'] },
  crash: { level: 'fatal', required: ['kind', 'type'], optional: ['error', 'stack'] },
  fault: { level: 'error', required: ['requestId', 'type'], optional: ['error', 'stack'] },
  'callers-loaded': { level: 'info', required: ['callers'] },
  'callers-not-loaded': { level: 'error', required: ['faults'] },
  'credentials-loaded': { level: 'info', required: [], optional: ['expireAt'] },
  'credentials-not-loaded': { level: 'error', required: ['reason'] },
  circuit: { level: 'warn', required: ['state'] },
  'clock-corrected': { level: 'warn', required: ['offsetMs'] },
  'quota-lowered': { level: 'warn', required: ['slots'] },
  'traces-not-exported': { level: 'warn', required: ['reason'] },
  'traces-exported': { level: 'info', required: [] },
  'quota-store-up': { level: 'info', required: [] },
  'quota-store-down': { level: 'warn', required: ['reason', 'part'] },
};

/**
 * Compares a log entry with the table.
 *
 * @throws Error that shows the entry
 */
export function assertLogEntry(entry: Record<string, unknown>): void {
  // An entry of the framework itself has a context in place of an event.
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
  const asInTable =
    entry['level'] === event?.level &&
    required.every((field) => field in entry) &&
    Object.keys(entry).every((field) => known.has(field));
  if (!asInTable) throw new Error(`This log entry is not as in LOG_EVENTS: ${JSON.stringify(entry)}`);
}
